"""`python -m channels.sandbox`: the same as `manage.py sandbox`, without Django and thus without its servers."""

import sys
from argparse import ArgumentParser

from channels.sandbox import cli

parser = ArgumentParser(prog="python -m channels.sandbox", description="The five marketplaces as local HTTP servers")
cli.add_arguments(parser)
try:
    cli.run(**vars(parser.parse_args()))
except cli.CannotStart as cause:
    sys.exit(f"sandbox: {cause}")
