"""What tests of nubetis, of its plug-ins and of other stores are made with."""
