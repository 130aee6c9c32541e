"""The day itself, in a process whose database is the day's own. Reads the stage as JSON from standard input."""

import json
import os
import sys
from argparse import ArgumentParser

import django

if __name__ == "__main__":
    parser = ArgumentParser()
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")
    django.setup()

    from oms.pages.demo_day.day import Day
    from oms.pages.demo_day.stage import Stage

    result = Day(Stage(**json.load(sys.stdin)), arguments.orders, arguments.seed).run()
    print(json.dumps(result, ensure_ascii=False))
