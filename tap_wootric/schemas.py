"""What the API documents of each kind of record."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

Json = dict[str, Any]

FREE_OBJECT = th.CustomType({"type": ["object", "null"]})
"""Any keys and any JSON values; one JSON column where a loader flattens."""

FREE_ARRAY = th.CustomType({"type": ["array", "null"], "items": {}})


def _field(name: str, kind: Any, description: str, *, is_key: bool = False) -> th.Property[Any]:
    return th.Property(name, kind, description=description, required=is_key, nullable=not is_key)


def _schema(*fields: th.Property[Any]) -> Json:
    return th.PropertiesList(*fields, ADDITIONAL_FIELDS).to_dict()


ADDITIONAL_FIELDS = _field(
    "additional_fields",
    FREE_OBJECT,
    "Keys that the API sends and that are not declared here, with their values.",
)

ID = _field("id", th.IntegerType, "Wootric's id of the record.", is_key=True)
CREATED_AT = _field("created_at", th.DateTimeType, "When the record was created, in UTC.")
UPDATED_AT = _field("updated_at", th.DateTimeType, "When the record last changed, in UTC.")
PROPERTIES = _field(
    "properties", FREE_OBJECT, "The customer's own properties: any names, any JSON values."
)

SURVEYED = (
    _field("end_user_id", th.IntegerType, "Id of the end user who was asked."),
    _field("survey_id", th.IntegerType, "Id of the survey that was shown."),
    _field("ip_address", th.StringType, "Address from which the survey was seen; personal data."),
    _field("origin_url", th.StringType, "Page on which the survey was seen."),
)

END_USER_AT_SURVEY = _field(
    "end_user",
    th.ObjectType(PROPERTIES, ADDITIONAL_FIELDS),
    "The end user as they were when the survey was taken.",
)

RESPONSES = _schema(
    ID,
    _field("created_at", th.DateTimeType, "When the score was given, in UTC.", is_key=True),
    UPDATED_AT,
    _field("score", th.IntegerType, "The score given: 0 to 10 for NPS."),
    _field("text", th.StringType, "The comment, null while there is none."),
    _field("completed", th.BooleanType, "Whether the survey was answered to its end."),
    _field(
        "excluded_from_calculations",
        th.BooleanType,
        "Whether Wootric leaves the response out of its scores.",
    ),
    _field("tags", th.ArrayType(th.StringType), "Tags given to the response."),
    _field("notes", FREE_ARRAY, "Notes written on the response."),
    *SURVEYED,
    END_USER_AT_SURVEY,
)

DECLINES = _schema(
    ID,
    _field("created_at", th.DateTimeType, "When the survey was declined, in UTC.", is_key=True),
    UPDATED_AT,
    *SURVEYED,
    END_USER_AT_SURVEY,
)

END_USERS = _schema(
    ID,
    CREATED_AT,
    _field("updated_at", th.DateTimeType, "When the end user last changed, UTC.", is_key=True),
    _field("email", th.StringType, "E-mail address; personal data."),
    _field("phone_number", th.StringType, "Phone number; personal data."),
    _field("external_id", th.StringType, "The customer's own id of the end user."),
    _field("external_created_at", th.DateTimeType, "When the customer met the end user, in UTC."),
    _field("last_surveyed", th.DateTimeType, "When the end user was last asked, in UTC."),
    _field("last_seen_at", th.DateTimeType, "When the end user was last seen, in UTC."),
    PROPERTIES,
    _field(
        "last_response",
        th.ObjectType(
            _field("id", th.IntegerType, "Id of the response."),
            _field("score", th.IntegerType, "Its score."),
            _field("text", th.StringType, "Its comment."),
            _field(
                "survey",
                th.ObjectType(
                    _field("channel", th.StringType, "Channel through which was asked."),
                    ADDITIONAL_FIELDS,
                ),
                "The survey that was answered.",
            ),
            ADDITIONAL_FIELDS,
        ),
        "The end user's latest response, null where there is none.",
    ),
    _field(
        "settings",
        th.ObjectType(
            _field("email_nps", th.BooleanType, "Whether NPS is asked by e-mail."),
            _field("mobile_nps", th.BooleanType, "Whether NPS is asked in mobile apps."),
            _field("web_nps", th.BooleanType, "Whether NPS is asked on web pages."),
            _field("force_mobile_survey", th.BooleanType, "Whether the next mobile survey is due."),
            _field("force_web_survey", th.BooleanType, "Whether the next web survey is due."),
            _field(
                "surveys_disabled_by_end_user",
                th.BooleanType,
                "Whether the end user has opted out of surveys.",
            ),
            ADDITIONAL_FIELDS,
        ),
        "How the end user may be asked.",
    ),
)

SEGMENTS = _schema(
    _field("name", th.StringType, "Name of the custom property.", is_key=True),
    _field(
        "data_type",
        th.StringType,
        "`string`, `integer` or `date`; dates stand as UNIX seconds in the properties.",
    ),
    _field("created_at", th.DateTimeType, "When the property was defined, in UTC."),
)

NPS_SUMMARY = _schema(
    _field("date", th.DateType, "The day, in the account's time zone.", is_key=True),
    _field("nps", th.IntegerType, "Net promoter score of the day: -100 to 100."),
    _field("responses", th.IntegerType, "Number of responses."),
    _field("promoters", th.IntegerType, "Number of promoters: scores of 9 and 10."),
    _field("passives", th.IntegerType, "Number of passives: scores of 7 and 8."),
    _field("detractors", th.IntegerType, "Number of detractors: scores from 0 to 6."),
    _field("response_rate", th.IntegerType, "Responses for 100 surveys shown."),
    _field("email_response_rate", th.IntegerType, "Responses for 100 surveys sent by e-mail."),
)
