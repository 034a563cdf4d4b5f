"""`python -m monitoring.drill`: what `make drill` calls; exits with 1 unless everything is right."""

import argparse
import sys
import tempfile
from pathlib import Path

from monitoring.drill.drill import Plan, Verdict, run_drill
from monitoring.drill.scenarios import SCENARIOS


def main() -> int:
    """Run a drill and print its verdict; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m monitoring.drill", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=3.0, help="minutes of random kills (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="seed of the random choices (default: %(default)s)"
    )
    parser.add_argument(
        "--only",
        default="",
        help="run only these faults, separated by commas, such as 'stop kafka,pause api'",
    )
    arguments = parser.parse_args()
    wanted = [name.strip() for name in arguments.only.split(",") if name.strip()]
    known = {scenario.name: scenario for scenario in SCENARIOS}
    if unknown := [name for name in wanted if name not in known]:
        parser.error(f"unknown fault {unknown[0]!r}; known are {', '.join(known)}")
    chosen = tuple(known[name] for name in wanted) or SCENARIOS
    plan = Plan(chosen, kill_seconds=60 * arguments.minutes, seed=arguments.seed)
    directory = Path(tempfile.mkdtemp(prefix="clickstream-drill-"))
    _say(
        f"{len(chosen)} faults, then {arguments.minutes:g} min of kills with seed {plan.seed}, on a stack "
        f"of its own in {directory}; at most {plan.longest_seconds / 60:.0f} min."
    )
    return _conclude(run_drill(directory, plan, _say))


def _conclude(verdict: Verdict) -> int:
    right = [outcome for outcome in verdict.outcomes if not outcome.problems]
    _say(f"Alerts: right for {len(right)} of {len(verdict.outcomes)} faults.")
    _say(f"Data: {verdict.acknowledged:,} events acknowledged through {verdict.kills} kills.")
    for problem in verdict.problems:
        _say(f"WRONG: {problem}")
    _say(
        "Verdict: nothing lost, nothing doubled, the ledger balances, the alerts are right."
        if verdict.is_good
        else "Verdict: FAILED."
    )
    return 0 if verdict.is_good else 1


def _say(message: str) -> None:
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
