"""Which column of a file is which field of a module.

A header is compared as a whole, after folding, with API names, labels and the synonyms below; a part of a
header never counts, so that *Email opt out* is not taken for an e-mail address.  Where two columns say the
same field, the one that says it more directly gets it and the other is left unmapped, in plain sight.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.data.names import NAMES, WHOLE
from nubetis.data.show import html_table, text_table
from nubetis.errors import NotFound
from nubetis.model.fold import fold_keyword

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["FieldMap", "Mapped", "map_columns", "normal_header"]

_EVERYWHERE: Final = """
external_id: external id, id externo, identificador externo, codigo externo, record id, id de registro, codigo
phone: phone number, telephone, tel, phone 1, business phone, work phone, main phone, company phone,
    telefono, telefonos, numero de telefono, nro telefono, tlf, telf, fono, telefono fijo, telefono trabajo,
    telefone, fone, telefone fixo, telefone comercial, numero de telefone
mobile: mobile phone, cell, cell phone, cellphone, mobile number, whatsapp, phone 2,
        celular, movil, telefono movil, telefono celular, nro celular, numero de celular, telemovel, numero
    de whatsapp
email: e mail, email address, e mail address, mail, email 1, e mail 1 value, primary email, work email,
    correo, correo electronico, direccion de correo, direccion de correo electronico, direccion de email,
    email principal, correo e, endereco de email, endereco de e mail, correio eletronico, e mail comercial
email_opt_out: email optout, opt out, opted out of email, do not email, no emails, unsubscribed, unsubscribe,
        has opted out of email, no enviar correos, no enviar email, baja de correo, no participacion correo
    electronico,
    no desea correos, excluir de correos, nao enviar email, descadastrado, recusou email
website: web, web site, url, homepage, home page, web page, company website,
    sitio web, pagina web, pagina, sitio, site, pagina da web, endereco web
address.street: address, street, street address, address 1, address line 1, mailing street, billing street,
    mailing address, direccion, domicilio, calle, direccion 1, direccion fiscal, calle y numero,
    endereco, rua, logradouro, morada
address.city: city, town, mailing city, billing city, city town, suburb,
    ciudad, localidad, poblacion, municipio, distrito, cidade, localidade
address.region: state, province, region, state province, county, mailing state, billing state,
    provincia, departamento, estado, departamento provincia, comunidad autonoma, uf, estado provincia
address.postcode: zip, zip code, postal code, postcode, mailing zip, mailing postal code, billing zip,
    codigo postal, cp, cod postal, cep, codigo de endereco postal
address.country: country, mailing country, billing country, country region, pais, pais region
description: notes, note, comments, comment, remarks, about,
        descripcion, observaciones, observacion, comentarios, comentario, notas, nota, descricao,
    observacoes, anotacoes
owner: record owner, contact owner, lead owner, account owner, assigned to, sales rep, propietario,
    responsable,
    asignado a, dueno, vendedor, proprietario, responsavel
source: lead source, origin, origen, fuente, procedencia, origen del prospecto, fuente del contacto, origem,
    fonte
tags: tag, labels, etiquetas, etiqueta
"""

_PERSON: Final = """
first_name: first, firstname, given name, given names, forename, fname, name first,
    nombre, nombres, primer nombre, nombre de pila, nome, primeiro nome, nome proprio
last_name: last, lastname, surname, family name, lname, name last,
    apellido, apellidos, primer apellido, apellido paterno, sobrenome, apelido, ultimo nome
job_title: title, position, role, job, cargo, puesto, puesto de trabajo, ocupacion, funcao, posicao, profesion
birth_date: birthday, date of birth, dob, birthdate, born,
    fecha de nacimiento, nacimiento, fecha nacimiento, cumpleanos, f nacimiento,
    data de nascimento, nascimento, aniversario
"""

_COMPANY_OF_PERSON: Final = (
    "company name, organization, organisation, organization name, organization 1 name, employer, "
    "account name, firm, "
    "business name, empresa, compania, nombre de la empresa, organizacion, razon social, institucion, "
    "centro, "
    "nombre de empresa, companhia, nome da empresa, organizacao, negocio"
)
_FULL_NAME: Final = (
    "name, full name, contact name, lead name, display name, person, nombre completo, nombre y apellidos, "
    "nombre y apellido, apellidos y nombres, nombres y apellidos, nome completo, contacto, cliente"
)

_MODULES: Final[dict[str, str]] = {
    "contacts": f"{_PERSON}account: company, account, {_COMPANY_OF_PERSON}\nname: {_FULL_NAME}\n",
    "leads": f"{_PERSON}company: account, {_COMPANY_OF_PERSON}\nname: {_FULL_NAME}\n"
    "status: lead status, estado del prospecto, estatus, situacao\n",
    "accounts": f"""
name: account, company, site name, customer, customer name, nombre, nome, razao social, cliente,
    trade name, nombre comercial, {_COMPANY_OF_PERSON}
tax_id: tax number, vat, vat number, vat id, ein, ruc, nif, cif, rut, nit, cuit, rfc, cnpj, ruc nif, tax id
    number,
    numero de identificacion fiscal, id fiscal, identificacion fiscal
industry: sector, rubro, giro, actividad, ramo, industria, industry sector, setor
employees: number of employees, no of employees, employee count, headcount, n de empleados, no de empleados,
    numero de empleados, empleados, trabajadores, numero de funcionarios, funcionarios
annual_revenue: revenue, turnover, yearly revenue, facturacion, facturacion anual, ingresos, ingresos anuales,
    ventas anuales, receita anual, faturamento, faturamento anual
annual_revenue.currency: moneda, currency, currency code, divisa, tipo de moneda, moeda
type: account type, company type, tipo, tipo de cuenta, tipo de conta
parent: parent account, parent company, empresa matriz, cuenta principal, casa matriz
""",
    "deals": """
name: deal, deal name, opportunity, opportunity name, negocio, nombre del negocio, oportunidad, nombre
amount: value, deal value, importe, monto, valor, cantidad
amount.currency: moneda, currency, currency code, divisa, tipo de moneda, moeda
amount.home: amount in home currency, importe en moneda local, monto en moneda local, valor em moeda local
stage: phase, deal stage, etapa, fase, fase del negocio, estagio
closed: close date, closing date, fecha de cierre, data de fechamento
account: company, account name, company name, empresa, cuenta
contact: contact name, contacto
probability: probabilidad, probabilidade
next_step: next step, proximo paso
""",
    "products": """
name: product, product name, producto, nombre, nombre del producto, produto
code: product code, sku, codigo, referencia, part number
price: unit price, precio, precio unitario, preco
price.currency: moneda, currency, currency code, divisa, tipo de moneda, moeda
active: is active, activo, ativo
""",
}


@attrs.frozen
class Mapped:
    """What one column was taken for; *field* is ``None`` where nothing fits.

    *misfit* is the field that its header names, where its cells are no values of it.

    >>> Mapped("E-mail", "email", 0.95, "a synonym").field
    'email'
    """

    column: str
    field: str | None
    confidence: float
    because: str
    misfit: str | None = None


@attrs.frozen(repr=False)
class FieldMap:
    """Which column fills which field; each field is filled by one column at most.

    >>> found = map_columns(["Apellidos", "Correo", "Email opt out"], module="contacts")
    >>> found.fields
    {'Apellidos': 'last_name', 'Correo': 'email', 'Email opt out': 'email_opt_out'}
    >>> found.changed({"Apellidos": None}).unmapped
    ('Apellidos',)
    """

    module: str
    columns: tuple[Mapped, ...]

    def __iter__(self) -> Iterator[Mapped]:
        return iter(self.columns)

    @property
    def fields(self) -> dict[str, str]:
        """Field by column, without the columns that fill none."""
        return {each.column: each.field for each in self.columns if each.field is not None}

    @property
    def filled(self) -> dict[str, str]:
        """Column by field, for the fields that one fills; one of whole names fills two."""
        return {path: each.column for each in self.columns for path in _paths(each.field)}

    @property
    def unmapped(self) -> tuple[str, ...]:
        """The columns that fill no field, in their order."""
        return tuple([each.column for each in self.columns if each.field is None])

    def changed(self, choices: Mapping[str, str | None]) -> FieldMap:
        """Give the map in which these columns fill these fields; a field chosen here is taken from others.

        Raises:
            NotFound: ``unknown_column``.
        """
        known = [each.column for each in self.columns]
        missing = next((column for column in choices if column not in known), None)
        if missing is not None:
            raise NotFound("unknown_column", column=missing, known=", ".join(known))
        taken = {path for field in choices.values() for path in _paths(field)}
        return attrs.evolve(self, columns=tuple([_chosen(each, choices, taken) for each in self.columns]))

    def _shown(self) -> list[list[str]]:
        return [[each.column, each.field or "", f"{each.confidence:.0%}", each.because] for each in self.columns]

    def __repr__(self) -> str:
        return text_table(("column", "field", "sure", "because"), self._shown())

    def _repr_html_(self) -> str:
        return html_table(("column", "field", "sure", "because"), self._shown(), caption=self.module)


def _chosen(each: Mapped, choices: Mapping[str, str | None], taken: set[str]) -> Mapped:
    if each.column in choices:
        return Mapped(each.column, choices[each.column], 1.0, "chosen")
    left = [path for path in _paths(each.field) if path not in taken]
    if left == _paths(each.field):
        return each
    return attrs.evolve(each, field=left[0]) if left else Mapped(each.column, None, 0.0, "another column was chosen")


def _paths(field: str | None) -> list[str]:
    """Give the fields that a column fills: none, one, or two where it holds whole names of persons."""
    return [*NAMES] if field == WHOLE else [] if field is None else [field]


def map_columns(columns: Iterable[str], *, module: str, known: Mapping[str, str] | None = None) -> FieldMap:
    """Find the fields of *module* that *columns* fill.

    Args:
        columns: The headers of a file, each once.
        module: The API name of a module.
        known: The labels of the module's fields by API name; no other field is given.  Without it, all
            standard fields are.

    >>> map_columns(["Company", "Company 2"], module="accounts").fields
    {'Company': 'name'}
    """
    wanted = list(columns)
    guesses = [_guess(column, module=module, known=known or {}) for column in wanted]
    allowed = None if known is None else frozenset(known)
    guesses = _named(guesses, whole=_whole_of(module, allowed))
    guesses = [each if _is_allowed(each.field, allowed) else _nothing(each.column) for each in guesses]
    return FieldMap(module, tuple(_one_to_one(guesses)))


def normal_header(header: str) -> str:
    """Give a header without case, accents, punctuation and camel humps.

    >>> normal_header("Correo-Electrónico:"), normal_header("firstName"), normal_header("N° de empleados")
    ('correo electronico', 'first name', 'n de empleados')
    """
    humps = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    return " ".join(re.findall(r"[^\W_]+", fold_keyword(humps.replace("°", " ").replace("º", " "))))


@cache
def _synonyms(module: str) -> dict[str, str]:
    """Give field by synonym; the module's own lines go before those for all."""
    found: dict[str, str] = {}
    for table in (_MODULES.get(module, ""), _EVERYWHERE):
        for line in re.sub(r"\n\s+", " ", table).strip().splitlines():
            field, _, words = line.partition(":")
            for word in words.split(","):
                found.setdefault(word.strip(), field)
    return found


def _guess(column: str, *, module: str, known: Mapping[str, str]) -> Mapped:
    name = normal_header(column)
    for field, label in known.items():
        if name == normal_header(field):
            return Mapped(column, field, 1.0, "the field's name")
        if name == normal_header(label):
            return Mapped(column, field, 0.99, "the field's label")
    synonyms = _synonyms(module)
    if name in {normal_header(field) for field in synonyms.values()}:
        field = next(field for field in synonyms.values() if name == normal_header(field))
        return Mapped(column, field, 1.0, "the field's name")
    found = synonyms.get(name)
    return Mapped(column, found, 0.95, "a synonym") if found else _nothing(column)


def _nothing(column: str) -> Mapped:
    return Mapped(column, None, 0.0, "no field has such a name")


def _is_allowed(field: str | None, allowed: frozenset[str] | None) -> bool:
    return allowed is None or all(path in allowed or path.partition(".")[0] in allowed for path in _paths(field))


def _whole_of(module: str, allowed: frozenset[str] | None) -> str:
    """Give what a column of whole names fills."""
    if module != "contacts":
        return "name"
    return WHOLE if _is_allowed(WHOLE, allowed) else "last_name"


def _named(guesses: list[Mapped], *, whole: str) -> list[Mapped]:
    """Give whole names to *whole*; a lone *Nombre* without *Apellidos* is one."""
    fields = {each.field for each in guesses}
    lone = "first_name" in fields and not fields & {"last_name", "name"}
    found = [
        attrs.evolve(each, field=whole, confidence=0.7, because="the whole name")
        if (each.field == "name" and whole != "name") or (lone and _may_be_whole(each))
        else each
        for each in guesses
    ]
    first = next((each.column for each in found if each.field == WHOLE), None)
    return found if first is None or "last_name" in fields else [_behind_whole(each, first) for each in found]


def _behind_whole(each: Mapped, whole: str) -> Mapped:
    """Leave out a first name beside *whole*, the column that says it and the last one."""
    return _left_out(each.column, whole, "first_name") if each.field == "first_name" else each


def _left_out(column: str, other: str, field: str) -> Mapped:
    return Mapped(column, None, 0.0, f"{other} fills {field}")


def _may_be_whole(each: Mapped) -> bool:
    return each.field == "first_name" and normal_header(each.column) in {"nombre", "nome", "nombres"}


def _one_to_one(guesses: list[Mapped]) -> list[Mapped]:
    best: dict[str, Mapped] = {}
    for each in guesses:
        for path in _paths(each.field):
            if each.confidence > best.get(path, _nothing("")).confidence:
                best[path] = each
    return [_unless_beaten(each, best) for each in guesses]


def _unless_beaten(each: Mapped, best: Mapping[str, Mapped]) -> Mapped:
    lost = next((path for path in _paths(each.field) if best[path] is not each), None)
    return each if lost is None else _left_out(each.column, best[lost].column, lost)
