"""Start the target as `python -m target_birdie`."""

from target_birdie.target import TargetBirdie

if __name__ == "__main__":
    TargetBirdie.cli()
