"""How eight countries write their telephone numbers, addresses, money and companies."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import attrs

from nubetis.errors import InvalidValue
from nubetis.samples.words import Pool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

__all__ = ["COUNTRIES", "Country", "Pattern", "Place", "chosen", "scatter"]

_STEP = 61_803_399  # coprime with ten, so that multiples of it visit every number of n digits once


def scatter(serial: int, offset: int) -> int:
    """Spread serial numbers over nine digits, all different, so that they look like chance.

    >>> len({scatter(serial, 7) % 10_000 for serial in range(10_000)})
    10000
    """
    return (serial * _STEP + offset) % 1_000_000_000


@functools.lru_cache(maxsize=512)
def _template(text: str) -> tuple[str, int]:
    """Give the format text of a pattern and how many digits it takes."""
    return text.replace("%", "%%").replace("#", "%s"), text.count("#")


@attrs.frozen
class Pattern:
    """A text in which each ``#`` stands for a digit."""

    text: str
    template: str = attrs.field(init=False)
    digits: int = attrs.field(init=False)
    limit: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Compile the text."""
        template, digits = _template(self.text)
        object.__setattr__(self, "template", template)
        object.__setattr__(self, "digits", digits)
        object.__setattr__(self, "limit", 10**digits)

    def fill(self, number: int) -> str:
        """Write the last digits of the number into the pattern.

        >>> Pattern("+51 9## ###").fill(123456)
        '+51 923 456'
        """
        if not self.digits:
            return self.text
        return self.template % tuple(str(number % self.limit).zfill(self.digits))

    def draw(self, random: Random) -> str:
        """Fill the pattern with random digits."""
        return self.fill(int(random.random() * self.limit))


@attrs.frozen
class Place:
    """A city, with how its post codes and fixed lines are written."""

    city: str
    region: str
    postcode: Pattern
    phone: Pattern


@attrs.frozen(eq=False)
class Country:
    """What the samples know of one country; places, streets and suffixes begin with the most common."""

    code: str
    language: str
    name: str
    english_name: str
    currency: str
    weight: float
    second_surname: float
    mobiles: tuple[Pattern, ...]
    places: tuple[Place, ...]
    addresses: tuple[str, ...]
    streets: Pool
    zones: tuple[str, ...]
    suffixes: tuple[str, ...]
    domains: tuple[str, ...]

    def address(self, random: Random) -> str:
        """Draw a street address."""
        template = self.addresses[int(random.random() ** 2 * len(self.addresses))]
        chance = int(random.random() * 1e15)
        floor, flat = chance % 9 + 1, chance // 9 % 4
        return template.format(
            s=self.streets.pick(random),
            n=chance // 36 % 1999 + 101,
            b=chance // 71_964 % 98 + 1,
            f=floor,
            x="ABCD"[flat],
            u=floor * 100 + flat + 1,
            z=self.zones[chance // 7_052_472 % len(self.zones)],
            d=chance // 71_964 % 89 + 1,
        )

    def place(self, random: Random) -> Place:
        """Draw a place, the first far more often."""
        return self.places[int(random.random() ** 2 * len(self.places))]


_TABLE = """
PE|es|Perú|Peru|PEN|34|0.95
+51 9## ### ###
Lima;Lima;150##;+51 1 ### ####|Miraflores;Lima;15074;+51 1 44# ####|San Isidro;Lima;15073;+51 1 42# ####|\
Arequipa;Arequipa;040##;+51 54 ### ###|Trujillo;La Libertad;130##;+51 44 ### ###|\
Santiago de Surco;Lima;15038;+51 1 27# ####|Chiclayo;Lambayeque;140##;+51 74 ### ###|\
Piura;Piura;200##;+51 73 ### ###|Cusco;Cusco;080##;+51 84 ### ###|Callao;Callao;070##;+51 1 4## ####|\
Huancayo;Junín;120##;+51 64 ### ###|Iquitos;Loreto;160##;+51 65 ### ###|Juliaca;Puno;21101;+51 51 ### ###|\
Breña;Lima;15082;+51 1 33# ####
Av. {s} {n}|Jr. {s} {n}|Calle {s} {n}|Av. {s} {n}, Dpto. {u}|Jr. {s} {n}, Int. {b}|Av. {s} {n}, Of. {u}|\
Mz. {x} Lt. {b}, Urb. {z}|Psje. {s} {b}|Calle {s} {n}, Urb. {z}
Arequipa Larco La_Marina Brasil Javier_Prado Grau Bolognesi Ayacucho Junín Huallaga Los_Olivos Las_Flores \
Túpac_Amaru Angamos Benavides Los_Pinos San_Martín Puno Cusco Camaná Los_Jazmines Pardo El_Sol Ejército \
Los_Álamos Petit_Thouars Salaverry Santa_Rosa Óscar_R._Benavides Los_Tulipanes
San Andrés|Los Cipreses|Santa Victoria|Mangomarca|La Florida|Pando
S.A.C.|E.I.R.L.|S.R.L.|S.A.|S.A.C.
.com.pe .pe .com
ES|es|España|Spain|EUR|16|0.97
+34 6## ### ###|+34 6## ### ###|+34 7## ### ###
Madrid;Madrid;280##;+34 91 ### ## ##|Barcelona;Barcelona;080##;+34 93 ### ## ##|\
Valencia;Valencia;460##;+34 96 ### ## ##|Sevilla;Sevilla;410##;+34 95 ### ## ##|\
Zaragoza;Zaragoza;500##;+34 976 ## ## ##|Málaga;Málaga;290##;+34 952 ## ## ##|\
Bilbao;Bizkaia;480##;+34 94 ### ## ##|A Coruña;A Coruña;150##;+34 981 ## ## ##|\
L'Hospitalet de Llobregat;Barcelona;089##;+34 93 ### ## ##|Alcalá de Henares;Madrid;288##;+34 91 ### ## ##
C/ {s}, {b}|C/ {s}, {b}, {f}º {x}|Avda. {s}, {b}|C/ {s} {b}, {f}-{x}|Pza. {s}, {b}|Paseo {s}, {b}, bajo|\
Ctra. {s}, km {b}|Pol. Ind. {z}, nave {b}
Mayor Real del_Carmen Gran_Vía de_la_Constitución San_José Cervantes de_la_Paz del_Sol Ramón_y_Cajal Goya \
San_Antonio de_la_Iglesia Colón Velázquez Aragón de_la_Libertad Diagonal Federico_García_Lorca del_Prado \
Miguel_Hernández Peñíscola del_Pósito Mallorca
El Pino|Las Marismas|La Estrella|Can Salvatella
S.L.|S.A.|S.L.U.|C.B.|S. Coop.
.es .com .cat
MX|es|México|Mexico|MXN|16|0.95
+52 55 #### ####|+52 33 #### ####|+52 81 #### ####|+52 222 ### ####
Ciudad de México;CDMX;0####;+52 55 #### ####|Guadalajara;Jalisco;44###;+52 33 #### ####|\
Monterrey;Nuevo León;64###;+52 81 #### ####|Puebla;Puebla;72###;+52 222 ### ####|\
Querétaro;Querétaro;76###;+52 442 ### ####|Mérida;Yucatán;97###;+52 999 ### ####|\
León;Guanajuato;37###;+52 477 ### ####|Tijuana;Baja California;22###;+52 664 ### ####|\
San Luis Potosí;San Luis Potosí;78###;+52 444 ### ####
Calle {s} {n}, Col. {z}|Av. {s} {n}, Col. {z}|{s} {n} Int. {b}, Col. {z}|Blvd. {s} {n}|\
Priv. {s} {b}, Col. {z}|Calz. {s} {n}, Col. {z}
Hidalgo Juárez Insurgentes Morelos Reforma 5_de_Mayo Zaragoza Independencia Madero Allende 16_de_Septiembre \
Benito_Juárez Emiliano_Zapata Revolución Álvaro_Obregón Lázaro_Cárdenas Niños_Héroes Vasconcelos \
Nezahualcóyotl Cuauhtémoc
Roma Norte|Centro|Del Valle|Condesa|Narvarte|Americana|Las Águilas|Obrera|San Ángel|Lomas de Chapultepec
S.A. de C.V.|S. de R.L. de C.V.|S.A.P.I. de C.V.|S.C.
.com.mx .mx .com
CO|es|Colombia|Colombia|COP|10|0.9
+57 3## ### ####
Bogotá;Bogotá D.C.;11####;+57 601 ### ####|Medellín;Antioquia;05####;+57 604 ### ####|\
Cali;Valle del Cauca;76####;+57 602 ### ####|Barranquilla;Atlántico;08####;+57 605 ### ####|\
Bucaramanga;Santander;68####;+57 607 ### ####|Cúcuta;Norte de Santander;54####;+57 607 ### ####|\
Ibagué;Tolima;73####;+57 608 ### ####
Cra. {b} # {d}-{f}{f}|Calle {b} # {d}-{f}{u}|Cra. {b} # {d}-{f}0, Apto. {u}|Av. {s} # {d}-{b}|\
Calle {b} Sur # {d}-{f}5|Diag. {b} # {d}-{f}2|Transv. {b} # {d}-{f}1, Barrio {z}
Boyacá El_Dorado Caracas Las_Américas Suba Jiménez Ciudad_de_Cali Oriental Guayabal
Chapinero|Kennedy|Laureles|El Poblado|Granada|Usaquén
S.A.S.|Ltda.|S.A.|& Cía. Ltda.
.com.co .co .com
AR|es|Argentina|Argentina|ARS|8|0.2
+54 9 11 #### ####|+54 9 11 #### ####|+54 9 351 ### ####|+54 9 341 ### ####
Buenos Aires;CABA;C1###AAB;+54 11 4### ####|Córdoba;Córdoba;X50##;+54 351 4## ####|\
Rosario;Santa Fe;S20##;+54 341 4## ####|La Plata;Buenos Aires;B19##;+54 221 4## ####|\
Mendoza;Mendoza;M55##;+54 261 4## ####|San Miguel de Tucumán;Tucumán;T40##;+54 381 4## ####|\
Mar del Plata;Buenos Aires;B76##;+54 223 4## ####
{s} {n}|Av. {s} {n}|{s} {n}, Piso {f} Dto. {x}|Av. {s} {n}, Piso {f}|Calle {b} N° {n}|Bv. {s} {n}|Pje. {s} {n}
Corrientes Rivadavia San_Martín Belgrano Santa_Fe Mitre Sarmiento 9_de_Julio Güemes Moreno 25_de_Mayo \
Córdoba Alvear Yrigoyen Cabildo Lavalle Tucumán Pueyrredón Juan_B._Justo Colón
Palermo|Centro
S.R.L.|S.A.|S.A.S.|S.H.
.com.ar .ar .com
CL|es|Chile|Chile|CLP|7|0.95
+56 9 #### ####
Santiago;Región Metropolitana;83#####;+56 2 2### ####|\
Providencia;Región Metropolitana;75#####;+56 2 2### ####|\
Las Condes;Región Metropolitana;75#####;+56 2 2### ####|Valparaíso;Valparaíso;23#####;+56 32 2## ####|\
Concepción;Biobío;40#####;+56 41 2## ####|Viña del Mar;Valparaíso;25#####;+56 32 2## ####|\
Ñuñoa;Región Metropolitana;77#####;+56 2 2### ####|Antofagasta;Antofagasta;12#####;+56 55 2## ####
{s} {n}|Av. {s} {n}, Of. {u}|Av. {s} {n}|{s} {n}, Dpto. {u}|Pasaje {s} {n}|Camino {s} {n}, Parcela {b}
Providencia Apoquindo O'Higgins Los_Leones Vicuña_Mackenna Prat Arturo_Alessandri Las_Condes Irarrázaval \
Manuel_Montt Huérfanos Ahumada Moneda Balmaceda Los_Carrera Portugal Pedro_de_Valdivia
Centro|Barrio Italia
SpA|Ltda.|S.A.|E.I.R.L.
.cl .cl .com
BR|pt|Brasil|Brazil|BRL|5|0.85
+55 11 9#### ####|+55 21 9#### ####|+55 31 9#### ####
São Paulo;SP;0####-###;+55 11 3### ####|Rio de Janeiro;RJ;2####-###;+55 21 3### ####|\
Belo Horizonte;MG;30###-###;+55 31 3### ####|Curitiba;PR;80###-###;+55 41 3### ####|\
Salvador;BA;40###-###;+55 71 3### ####
Rua {s}, {n}|Av. {s}, {n}|Rua {s}, {n}, Apto. {u}|Av. {s}, {n}, Sala {u}|Alameda {s}, {n}|Travessa {s}, {b}
Paulista XV_de_Novembro Sete_de_Setembro das_Flores Getúlio_Vargas São_João Brasil Tiradentes Dom_Pedro_II \
da_Consolação Augusta Rio_Branco Santos_Dumont das_Palmeiras
Centro|Jardins
Ltda.|S.A.|ME|EIRELI
.com.br .com.br .com
US|en|Estados Unidos|United States|USD|4|0.0
+1 305 ### ####|+1 213 ### ####|+1 210 ### ####|+1 917 ### ####
Miami;FL;331##;+1 305 ### ####|Houston;TX;770##;+1 713 ### ####|Los Angeles;CA;900##;+1 213 ### ####|\
San Antonio;TX;782##;+1 210 ### ####|New York;NY;100##;+1 212 ### ####|Chicago;IL;606##;+1 312 ### ####
{n} {s} St|{n} {s} Ave|{n} {s} St Apt {u}|{n} {s} Blvd, Suite {u}|{n} {s} Rd|{n} NW {d} St|{n} {s} Dr
Main Oak Maple Washington Lincoln Park Cedar Elm Lake Hill Jefferson Sunset Walnut Highland River Madison \
Flagler
Downtown|Midtown
LLC|Inc.|Corp.|Ltd.
.com .com .net
"""
_LINES = 8


def _place(cell: str) -> Place:
    """Read one place of the table."""
    city, region, postcode, phone = cell.split(";")
    return Place(city, region, Pattern(postcode), Pattern(phone))


def _country(lines: Sequence[str]) -> Country:
    """Read one country of the table."""
    head, mobiles, places, addresses, streets, zones, suffixes, domains = lines
    code, language, name, english_name, currency, weight, second_surname = head.split("|")
    return Country(
        code=code,
        language=language,
        name=name,
        english_name=english_name,
        currency=currency,
        weight=float(weight),
        second_surname=float(second_surname),
        mobiles=tuple(map(Pattern, mobiles.split("|"))),
        places=tuple(map(_place, places.split("|"))),
        addresses=tuple(addresses.split("|")),
        streets=Pool.of(streets, flat=9),
        zones=tuple(zones.split("|")),
        suffixes=tuple(suffixes.split("|")),
        domains=tuple(domains.split()),
    )


def _countries() -> Iterator[Country]:
    """Read the table."""
    lines = _TABLE.strip().splitlines()
    for start in range(0, len(lines), _LINES):
        yield _country(lines[start : start + _LINES])


COUNTRIES: dict[str, Country] = {country.code: country for country in _countries()}
"""The countries by code, the most frequent first."""


def chosen(codes: Sequence[str]) -> tuple[Country, ...]:
    """Give the countries of the codes.

    Raises:
        InvalidValue: There is no such country in the samples, or none was named.

    >>> [country.name for country in chosen(["PE", "ES"])]
    ['Perú', 'España']
    """
    unknown = [code for code in codes if code not in COUNTRIES]
    if unknown or not codes:
        reason = f"choose from {', '.join(COUNTRIES)}, not {', '.join(map(str, unknown)) or 'nothing'}"
        raise InvalidValue("bad_argument", argument="countries", reason=reason)
    return tuple(COUNTRIES[code] for code in codes)
