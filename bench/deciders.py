from __future__ import annotations


def decisions(scale):
    return []
