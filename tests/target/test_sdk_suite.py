"""The SDK's own tests of targets."""

from singer_sdk.testing import get_target_test_class
from target_birdie.target import TargetBirdie

OPTIONS = {"dry_run": True, "store_url": "none"}
Skipped = get_target_test_class(TargetBirdie, config=OPTIONS, parse_env_config=False)


class TestSkipped(Skipped):  # type: ignore[misc,valid-type]
    """Every case of the SDK, with streams that are not mapped."""

    test_target_record_missing_key_property = None  # such a record is skipped like the others
