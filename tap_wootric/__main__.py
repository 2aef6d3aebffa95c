"""Start the tap, as the command `tap-wootric` or as `python -m tap_wootric`."""

from tap_wootric.shutdown import restore_signals


def main() -> None:
    """Run the command line."""
    restore_signals()
    # The import takes half a second, in which Ctrl-C must print no stack trace.
    from tap_wootric.tap import TapWootric  # noqa: PLC0415

    TapWootric.cli()


if __name__ == "__main__":
    main()
