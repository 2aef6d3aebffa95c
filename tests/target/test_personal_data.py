"""Personal data: recognized by name in five languages, and omitted unless the settings send it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from connector_sandbox import Sandbox
from target_birdie.config.schema import DEFAULT_STREAMS
from target_birdie.mapping.mapper import MappingRules, StreamMapper
from target_birdie.mapping.personal_data import is_personal_name

from .messages import Run, record, stream_of

PERSONAL = """
email E-Mail e_mail workEmail EMAIL email_address EmailAddress contact.email Email2 email_work
email_addresses E-Mail-Adresse correo_electrónico courriel phone phone_number PhoneNumber
customer_phone_2 phone_numbers mobile telephone TELÉFONO teléfono_móvil telefone_comercial celular
Telefonnummer geschäftliche_Telefonnummer Telefon_geschaeftlich numéro_de_téléphone ip client_ip
ip_address ip_address_2 IPAddress last_ip_address first_name firstName LASTNAME full_name name
name_2 customer_name user_name nome nome_do_cliente sobrenome nombre nombre_completo apellidos nom
prénom Vorname kunden_name address ship_address endereço endereco_entrega Straße strasse rue PLZ
postal_code zip city billing_city City cidade ciudad Wohnort ville location localização Standort
lat cpf CPF_cliente cnpj rg dni passport_number Personalausweis iban credit_card card_number
cartão Kontonummer password senha contraseña Passwort mot_de_passe
"""
OTHER = """
company_name plan_name product_name account_name nome_da_empresa nombre_producto nom_entreprise
Firmenname city_count address_count location_id ip_count emails_sent email_opt_in phone_model
mailing_list headphones capacity relationship report plan country state account_number customer_id
user_id language channel notes tags seats completed renewal_date website mobile_nps
"""


@pytest.mark.parametrize("name", [*PERSONAL.split(), "\uff25mail"])
def test_a_name_of_personal_data_is_recognized(name: str) -> None:
    assert is_personal_name(name)


@pytest.mark.parametrize("name", OTHER.split())
def test_other_names_are_not_personal_data(name: str) -> None:
    assert not is_personal_name(name)


PERSON = {
    "id": 7,
    "email": "ann@example.com",
    "properties": {
        "E-Mail": "ann@example.com",
        "contacts": [{"email": "ann@example.com", "role": "owner"}],
        "has_email": True,
        "cidade": "ann@example.com",
        "company_name": "Acme",
    },
}


def test_personal_data_is_omitted_at_every_depth(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    run = run_target(stream_of([record(1, end_user=PERSON, email="ann@example.com")]))
    fields = sandbox.birdie.records()["1"]["additional_fields"]

    assert (run.exit_code, fields["end_user"]) == (0, {"id": 7})
    assert (fields["contacts"], fields["has_email"], fields["company_name"]) == (
        [{"role": "owner"}],
        True,
        "Acme",
    )
    assert "ann@example.com" not in json.dumps(sandbox.birdie.records())


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({"include_pii": True}, {"email", "E-Mail", "ip_address", "cidade"}),
        ({"pii_exceptions": ["CIDADE", "e_mail"]}, {"E-Mail", "email", "cidade"}),
        ({"pii_exceptions": ["mail"]}, set()),
    ],
)
def test_settings_send_personal_data(
    settings: dict[str, Any], sent: set[str], sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    run_target(stream_of([record(1, end_user=PERSON, email="ann@example.com")]), **settings)
    fields = sandbox.birdie.records()["1"]["additional_fields"]

    assert sent == fields.keys() & {"email", "E-Mail", "ip_address", "cidade"}


@pytest.mark.parametrize("include_pii", [True, False])
def test_a_rejected_record_is_stored_without_the_personal_data_that_is_not_sent(
    *, include_pii: bool
) -> None:
    """What the mapping uses is stored: without it, the record could not be mapped again."""
    rules = MappingRules(include_pii=include_pii, author_id_from="end_user.email")
    mapper = StreamMapper(DEFAULT_STREAMS["responses"], rules)
    content = record(1, end_user=PERSON)
    stored = mapper.redacted(content)

    assert stored is not None
    assert mapper.map(stored) == mapper.map(content)
    assert ("ip_address" in stored) == include_pii
    assert json.dumps(stored).count("ann@example.com") == (4 if include_pii else 1)
