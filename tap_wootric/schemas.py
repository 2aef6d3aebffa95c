"""JSON Schemas of all streams: the keys that the API documents, with their types.

Sources: Wootric's API documentation, and `end_user.email` as seen on live accounts.
"""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

Json = dict[str, Any]

FREE_OBJECT = th.CustomType({"type": ["object", "null"]})
"""Any keys and any JSON values; one JSON column where a loader flattens."""

FREE_ARRAY = th.CustomType({"type": ["array", "null"], "items": {}})

TEXTS = th.CustomType({"type": ["array", "null"], "items": {"type": ["string", "null"]}})


def _field(name: str, kind: Any, description: str, *, is_key: bool = False) -> th.Property[Any]:
    return th.Property(name, kind, description=description, required=is_key, nullable=not is_key)


def _schema(*fields: th.Property[Any]) -> Json:
    return th.PropertiesList(*fields, ADDITIONAL_FIELDS).to_dict()


ADDITIONAL_FIELDS = _field(
    "additional_fields",
    FREE_OBJECT,
    "Keys that the API returns and that this schema does not declare, with their values.",
)

ID = _field("id", th.IntegerType, "Wootric's id of the record.", is_key=True)
CREATED_AT = _field("created_at", th.DateTimeType, "When the record was created, in UTC.")
UPDATED_AT = _field("updated_at", th.DateTimeType, "When the record last changed, in UTC.")
PROPERTIES = _field(
    "properties",
    FREE_OBJECT,
    "Custom properties by name: strings, numbers, booleans, arrays or null; dates as UNIX seconds.",
)
EMAIL = _field("email", th.StringType, "E-mail address; personal data.")
PHONE_NUMBER = _field("phone_number", th.StringType, "Phone number; personal data.")
EXTERNAL_ID = _field("external_id", th.StringType, "Id of the end user in the customer's system.")

SURVEYED = (
    _field("end_user_id", th.IntegerType, "Id of the surveyed end user."),
    _field("survey_id", th.IntegerType, "Id of the survey, which determines its kind."),
    _field("ip_address", th.StringType, "IP address of the end user; personal data."),
    _field("origin_url", th.StringType, "URL of the page that showed the survey."),
)

END_USER_AT_SURVEY = _field(
    "end_user",
    th.ObjectType(
        _field("id", th.IntegerType, "Wootric's id of the end user."),
        EMAIL,
        PHONE_NUMBER,
        EXTERNAL_ID,
        PROPERTIES,
        ADDITIONAL_FIELDS,
    ),
    "The end user, with the properties as they were when the survey was taken.",
)

RESPONSES = _schema(
    ID,
    _field("created_at", th.DateTimeType, "When the score was given, in UTC.", is_key=True),
    UPDATED_AT,
    _field("score", th.IntegerType, "Score: NPS 0 to 10, CES 1 to 7, CSAT 1 to 5 or 1 to 10."),
    _field("text", th.StringType, "Comment, HTML-escaped; null without a comment."),
    _field("completed", th.BooleanType, "Whether the team has marked the response as complete."),
    _field(
        "excluded_from_calculations",
        th.BooleanType,
        "Whether Wootric excludes the response from its scores.",
    ),
    _field("tags", th.ArrayType(th.StringType), "Tags of the response."),
    _field("notes", TEXTS, "The team's notes on the response; a note can be empty."),
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
    EMAIL,
    PHONE_NUMBER,
    EXTERNAL_ID,
    _field(
        "external_created_at",
        th.DateTimeType,
        "When the customer's system created the end user, in UTC.",
    ),
    _field("last_surveyed", th.DateTimeType, "When the end user was last surveyed, in UTC."),
    _field("last_seen_at", th.DateTimeType, "When the end user was last seen, in UTC."),
    PROPERTIES,
    _field(
        "last_response",
        th.ObjectType(
            _field("id", th.IntegerType, "Id of the response."),
            _field("score", th.IntegerType, "Score of the response."),
            _field("text", th.StringType, "Comment of the response."),
            _field(
                "survey",
                th.ObjectType(
                    _field("channel", th.StringType, "Channel of the survey, for example `email`."),
                    ADDITIONAL_FIELDS,
                ),
                "Survey of the response.",
            ),
            ADDITIONAL_FIELDS,
        ),
        "Latest response of the end user; null without a response.",
    ),
    _field(
        "settings",
        th.ObjectType(
            _field("email_nps", th.BooleanType, "Whether e-mail surveys are enabled."),
            _field("mobile_nps", th.BooleanType, "Whether surveys in mobile apps are enabled."),
            _field("web_nps", th.BooleanType, "Whether surveys on web pages are enabled."),
            _field("force_mobile_survey", th.BooleanType, "Whether a mobile survey is forced."),
            _field("force_web_survey", th.BooleanType, "Whether a web survey is forced."),
            _field(
                "surveys_disabled_by_end_user",
                th.BooleanType,
                "Whether the end user has opted out of surveys.",
            ),
            ADDITIONAL_FIELDS,
        ),
        "Survey settings of the end user.",
    ),
)

SEGMENTS = _schema(
    _field("name", th.StringType, "Name of the custom property.", is_key=True),
    _field("data_type", th.StringType, "`string`, `integer` or `date` (UNIX seconds)."),
    _field("created_at", th.DateTimeType, "When the property was defined, in UTC."),
)

NPS_SUMMARY = _schema(
    _field("date", th.DateType, "The day, in the account's time zone.", is_key=True),
    _field("nps", th.IntegerType, "Net promoter score of the day: -100 to 100."),
    _field("responses", th.IntegerType, "Number of responses."),
    _field("promoters", th.IntegerType, "Number of promoters: scores of 9 and 10."),
    _field("passives", th.IntegerType, "Number of passives: scores of 7 and 8."),
    _field("detractors", th.IntegerType, "Number of detractors: scores from 0 to 6."),
    _field("response_rate", th.IntegerType, "Responses per 100 surveys shown."),
    _field("email_response_rate", th.IntegerType, "Responses per 100 surveys sent by e-mail."),
)

SURVEY_TEMPLATES = _schema(
    _field("id", th.IntegerType, "Wootric's id of the survey template.", is_key=True),
    _field("name", th.StringType, "Name of the survey template."),
    _field("is_default", th.BooleanType, "Whether the account uses this template by default."),
    _field("default_language", th.StringType, "Code of the default language."),
    _field(
        "languages",
        th.ArrayType(
            th.ObjectType(
                _field("code", th.StringType, "Code of the language."),
                _field("name", th.StringType, "Name of the language."),
            )
        ),
        "Configured languages.",
    ),
    _field("non_configured_language_count", th.IntegerType, "Number of languages not configured."),
    _field("custom_samplings", FREE_ARRAY, "Custom sampling rules, in Wootric's own form."),
)

EMAIL_STATS = _schema(
    _field("date", th.DateType, "The day, in the account's time zone.", is_key=True),
    _field("send", th.StringType, "`all` e-mails, or `initial` or `reminder` ones.", is_key=True),
    _field("send_requests", th.IntegerType, "Number of requests to send an e-mail."),
    _field("emails_sent", th.IntegerType, "Number of e-mails sent."),
    _field("processed", th.IntegerType, "Number of e-mails that the mail service processed."),
    _field("delivered", th.IntegerType, "Number of e-mails delivered."),
    _field("not_delivered", th.IntegerType, "Number of e-mails not delivered."),
    _field("bounce", th.IntegerType, "Number of bounced e-mails."),
    _field("dropped", th.IntegerType, "Number of e-mails that the mail service dropped."),
    _field("open", th.IntegerType, "Number of opened e-mails."),
    _field("opted_out", th.IntegerType, "Number of end users who opted out."),
    _field("spamreport", th.IntegerType, "Number of e-mails reported as spam."),
    _field("not_eligible", th.IntegerType, "Number of end users not eligible for a survey."),
    _field("total_surveys", th.IntegerType, "Number of surveys."),
    _field("total_responses", th.IntegerType, "Number of responses."),
)
