"""What the long proofs have in common: the stores that they try, and how they are asked for."""

from __future__ import annotations

import argparse

from tests.servers import running_postgres

STORES = ("memory", "sqlite", "postgres")


def urls(name, stack, folder):
    """Give a function that makes the URL of a store by its name; what it needs goes on the *stack*."""
    if name == "memory":
        return "memory://{}".format
    if name == "sqlite":
        return lambda each: f"sqlite:///{folder}/{each}.db?profile=fast"
    return stack.enter_context(running_postgres())


def asked(arguments, description, *, what, default):
    """Give the options of a proof, how many of *what* it shall try, and its first seed and the step to the next."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(f"--{what}", dest="count", type=int, default=default)
    parser.add_argument("--seed", type=int, default=0, help="of the first")
    parser.add_argument("--shard", default="1/1", help="2/4 takes each fourth seed, from the second on")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    options = parser.parse_args(arguments)
    part, parts = map(int, options.shard.split("/"))
    return options, options.count // parts, options.seed + part - 1, parts
