"""Texts, tags and properties of the sample data, in many languages."""

from __future__ import annotations

from typing import Any

LONG_TEXT = (
    "I have been using this every working day for about three years, so let me be thorough. "
    "The import is quick, the export keeps the column order, and support answers within the hour. "
    "What I miss is a way to undo a bulk change: once it is done it is done.\n\n"
) * 24

TEXTS: dict[str, tuple[str, ...]] = {
    "en": (
        "Great product, would recommend.",
        "Support took four days to answer 😕",
        "It's fine.\nThe invoices could be clearer.\r\nEverything else works.",
        'They call it "smart", I call it slow; 10/10 for trying.',
        "ok",
        "Love it ❤️🚀 — my whole team uses it 👩‍👩‍👧‍👦",
        "<b>Bold</b> claims & little behind them \\o/",
        "  spaces around  ",
        LONG_TEXT,
    ),
    "pt": (
        "Atendimento excelente, mas o aplicativo trava às vezes.",
        "Não consegui cancelar a assinatura… péssima experiência!",
        "Ótimo custo-benefício 👏🏽",
    ),
    "es": ("¡Muy fácil de usar!", "El mañana llegó y el envío no.", "Regular, ni bien ni mal"),
    "de": ("Übersichtlich, schnell, fair – gern wieder.", "Die Rechnung kam zweimal. Ärgerlich."),
    "fr": ("Très déçu : l’appli plante à chaque mise à jour.", "Parfait, rien à redire « bravo »"),
    "ja": ("とても使いやすいです。", "サポートの返事が遅い。\n改善してください。"),
    "zh": ("界面很好看，但是加载太慢了。", "非常满意！👍"),
    "ko": ("결제가 자꾸 실패합니다.", "친절한 상담 감사합니다 😊"),
    "ar": ("التطبيق ممتاز لكن الدعم بطيء.", "شكراً جزيلاً 🌹"),
    "he": ("שירות מצוין, תודה!",),
    "hi": ("बहुत अच्छा अनुभव रहा।",),
    "ru": ("Удобно, но дорого.",),
}

TAGS = ("price", "support", "bug", "ux", "feature request", "entrega", "請求", "churn risk", "🔥")
NOTES = ("Called back, solved.", "Weitergeleitet an das Team", "Asked for an example\nby e-mail")

CUSTOMERS: tuple[dict[str, Any], ...] = (
    {"company": "Example Logistics", "plan": "enterprise", "country": "BR", "seats": 1200},
    {"company": "Example Café & Söhne", "plan": "starter", "country": "DE", "seats": 3},
    {"company": "例示株式会社", "plan": "pro", "country": "JP", "seats": 45},
    {"company": "Example Health", "plan": "pro", "country": "US", "seats": 310},
    {"company": "شركة المثال", "plan": "starter", "country": "AE", "seats": 12},
)

SEGMENTS: tuple[tuple[str, str], ...] = (
    ("company", "string"),
    ("plan", "string"),
    ("country", "string"),
    ("seats", "integer"),
    ("signed_up", "date"),
    ("renewal date", "date"),
    ("language", "string"),
)

ODD_PROPERTIES: tuple[dict[str, Any], ...] = (
    {},
    {"is_admin": True, "beta": False},
    {"contract_amount": 123_450, "lifetime value": "1234", "balance": -17},
    {"account.owner": "sales@example.com", "crm_score": 7},  # allowed in old accounts only
    {"modules_array": ["billing", "reports", 3, True], "list": []},
    {"größe": "XL", "部署": "営業", "🙂": "emoji key"},
    {"phone": None, "remark": ""},
    {"Plan": "another case of the same key", "big": 9007199254740993},
    {"email_address": "a@example.org", "Telefonnummer": "+49 30 5550100"},
)
"""Names contain no dot, dollar sign or NUL, and values are not objects, with one exception."""

SURVEY_TEMPLATES: dict[str, Any] = {
    "default_survey_template_id": 31,
    "survey_templates": [
        {
            "id": 31,
            "name": "NPS after onboarding",
            "default_language": "en",
            "languages": [
                {"code": "en", "name": "English"},
                {"code": "pt_br", "name": "Português"},
            ],
            "non_configured_language_count": 2,
            "custom_samplings": [],
        },
        {
            "id": 32,
            "name": "CSAT after a support case",
            "default_language": "de",
            "languages": [{"code": "de", "name": "Deutsch"}],
            "non_configured_language_count": 0,
            "custom_samplings": [],
        },
    ],
}
