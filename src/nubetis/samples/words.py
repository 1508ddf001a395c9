"""The words that the generated people and companies are made of.

Each list stands in the order of how common a name is, and `Pool` draws by that rank, so a run has many García
and few Goicoaga, as a real export has.  ``_`` stands for a space inside a name, ``|`` and ``;`` separate
longer pieces.
"""

from __future__ import annotations

import functools
import itertools
from bisect import bisect
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

__all__ = ["GIVEN", "NICKNAMES", "NOTES", "SECTORS", "SURNAMES", "TITLES", "Pool", "ascii_text", "slug"]

_PLAIN = str.maketrans(
    "áàâãäéèêëíìîïóòôõöúùûüñçÁÀÂÃÄÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÑÇ", "aaaaaeeeeiiiiooooouuuuncAAAAAEEEEIIIIOOOOOUUUUNC"
)
_SLUG = str.maketrans("", "", " .,'&-/()")


def ascii_text(text: str) -> str:
    """Give the text without accents, as a hurried person types it.

    >>> ascii_text("Núñez Güell")
    'Nunez Guell'
    """
    return text.translate(_PLAIN)


@functools.lru_cache(maxsize=16_384)
def slug(text: str) -> str:
    """Give the letters and digits of the text, as they stand in an e-mail address.

    >>> slug("de la Peña & Cía.")
    'delapenacia'
    """
    return ascii_text(text).translate(_SLUG).lower()


@attrs.frozen
class Pool:
    """Names in the order of their frequency, drawn by it: weight 1 / (rank + flat).

    >>> Pool.of("Ana de_la_Cruz").names
    ('Ana', 'de la Cruz')
    """

    names: tuple[str, ...]
    _sums: tuple[float, ...]
    _total: float

    @classmethod
    def of(cls, names: str | Iterable[str], *, flat: float = 6) -> Pool:
        """Make a pool of distinct names; a great ``flat`` makes them nearly equally likely."""
        split = names.split() if isinstance(names, str) else names
        distinct = tuple(dict.fromkeys(name.replace("_", " ") for name in split))
        sums = tuple(itertools.accumulate(1 / (rank + flat) for rank in range(len(distinct))))
        return cls(distinct, sums, sums[-1])

    def pick(self, random: Random) -> str:
        """Draw one name by its weight."""
        return self.names[bisect(self._sums, random.random() * self._total)]


def _joined(heads: str, tails: str) -> list[str]:
    """Give the rare surnames, each head with each tail."""
    return [head + tail for head, tail in itertools.product(heads.split(), tails.split())]


_MEN_ES = """
José Luis Juan Carlos Jorge Miguel Jesús Francisco Manuel Antonio Víctor Pedro David Daniel Javier Fernando
Ricardo Alejandro Eduardo Roberto César Julio Alberto Rafael Sergio Ángel Raúl Mario Óscar Andrés Diego Pablo
Enrique Héctor Arturo Marco Alfredo Hugo Gustavo Álvaro Rubén Guillermo Iván Felipe Cristian Gabriel Sebastián
Edwin Rodrigo Armando Walter Martín Nicolás Santiago Ernesto Ignacio Salvador Ramón Gerardo Joaquín Vicente
Jaime Adrián Wilmer Gonzalo Mauricio Agustín Marcos Hernán Matías Tomás Lucas Mateo Bruno Percy Segundo Elmer
Freddy Renato Esteban Emilio Fabián Ismael Leonardo Rodolfo Orlando Germán Samuel Benjamín Joel Josué Simón
Efraín Abel Moisés Elías Néstor Ezequiel Facundo Lorenzo Teodoro Florencio Aurelio Nicanor Eusebio Leoncio
Saturnino Wilfredo Xavier Iker Unai Jordi José_Luis Juan_Carlos José_Antonio Juan_José Luis_Alberto José_María
José_Manuel Miguel_Ángel Víctor_Hugo Juan_Manuel Carlos_Alberto
"""
_WOMEN_ES = """
María Rosa Ana Carmen Juana Luz Patricia Elena Laura Claudia Lucía Martha Sandra Gloria Silvia Julia Isabel
Teresa Mónica Verónica Andrea Cristina Paola Diana Guadalupe Mercedes Milagros Elizabeth Marta Gabriela
Carolina Norma Alejandra Karina Pilar Beatriz Sofía Adriana Daniela Flor Victoria Natalia Paula Valeria
Fernanda Margarita Angélica Cecilia Yolanda Jessica Mariana Roxana Nancy Irene Susana Alicia Lourdes Raquel
Nelly Sara Dolores Consuelo Esther Rocío Yesenia Maribel Camila Valentina Lidia Ángela Estela Fiorella
Graciela Inés Antonia Francisca Concepción Josefina Magdalena Catalina Noelia Nuria Montserrat Aurora Blanca
Olga Celia Eva Elvira Maritza Yaneth Giovanna Katherine Ximena Constanza Florencia Agustina Micaela Renata
Jimena Abigail Belén Nieves Amparo Remedios Eulalia Casilda Filomena Hermelinda Segundina Eufemia Begoña
Itziar Ainhoa Nélida Dora Delia Zoila Rosario Soledad Asunción María_Elena María_del_Carmen María_José
Ana_María María_Isabel Rosa_María María_Teresa Luz_Marina María_Luisa María_Fernanda María_de_los_Ángeles
María_Guadalupe María_del_Pilar Ana_Lucía María_Cristina
"""
_MEN_EN = """
James Robert John Michael William David Richard Joseph Thomas Christopher Charles Daniel Matthew Anthony Mark
Steven Andrew Kenneth George Joshua Kevin Edward Ronald Timothy Jason Jeffrey Ryan Jacob Nicholas Eric
Jonathan Stephen Benjamin Samuel Gregory Patrick Alexander Frank Raymond Jack Dennis Lawrence Albert Terrence
Winston Ezekiel
"""
_WOMEN_EN = """
Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Sandra Margaret Ashley
Emily Donna Michelle Amanda Melissa Deborah Stephanie Rebecca Laura Helen Cynthia Kathleen Amy Angela Anna
Pamela Emma Nicole Katherine Samantha Christine Rachel Catherine Victoria Judith Theodora Abigail Philippa
"""
_MEN_PT = """
José João Antônio Francisco Carlos Paulo Pedro Lucas Luiz Marcos Luís Gabriel Rafael Daniel Marcelo Bruno
Eduardo Felipe Raimundo Rodrigo Manoel Mateus André Fernando Fábio Leonardo Gustavo Guilherme Leandro Tiago
Anderson Ricardo Roberto Jorge Thiago Caio João_Pedro José_Carlos Luiz_Henrique
"""
_WOMEN_PT = """
Maria Ana Francisca Antônia Adriana Juliana Márcia Fernanda Patrícia Aline Sandra Camila Amanda Bruna Jéssica
Letícia Júlia Luciana Vanessa Mariana Gabriela Vera Vitória Larissa Cláudia Beatriz Rita Luana Sônia Renata
Conceição Tereza Ana_Paula Maria_Aparecida Maria_de_Fátima
"""
GIVEN: Mapping[str, tuple[Pool, Pool]] = {
    "es": (Pool.of(_MEN_ES), Pool.of(_WOMEN_ES)),
    "en": (Pool.of(_MEN_EN), Pool.of(_WOMEN_EN)),
    "pt": (Pool.of(_MEN_PT), Pool.of(_WOMEN_PT)),
}

_COMMON_ES = """
García Rodríguez González López Martínez Sánchez Pérez Fernández Gómez Díaz Hernández Torres Ramírez Flores
Rojas Castillo Vargas Ramos Romero Álvarez Ruiz Gutiérrez Mendoza Castro Cruz Morales Ortiz Jiménez Moreno
Muñoz Chávez Suárez Herrera Medina Aguilar Vega Reyes Rivera Delgado Salazar Silva Guerrero Espinoza Cárdenas
Núñez Campos Vásquez Contreras Ríos Valencia Navarro Guzmán León Soto Córdova Paredes Peña Acosta Cabrera
Molina Domínguez Ortega Fuentes Carrasco Cortés Alvarado Miranda Santos Sandoval Valdez Mejía Pacheco Lozano
Vidal Ibáñez Márquez Bravo Arias Ponce Palacios Santana Figueroa Maldonado Villanueva Zapata Cáceres Tapia
Benítez Aguirre Zavala Solís Robles Escobar Ochoa Camacho Luna Franco Lara Serrano Blanco Calderón Velásquez
Bustamante Gallardo Montoya Ávila Salinas de_la_Cruz Del_Castillo de_la_Torre De_la_Fuente Ochoa Parra Peralta
Pineda Quintana Rosales Saavedra Téllez Uribe Valverde Yáñez Zúñiga Barrios Bermúdez Cisneros Duarte Esquivel
Farfán Galván Hidalgo Izquierdo Jaramillo Lago Manrique Nieto Olivares Pizarro Quiroga Rangel San_Martín
Tejada Urrutia de_los_Ríos Villalobos Ayala Zegarra Abanto Becerra Ceballos Dávila Echevarría Félix Gamarra
Haro Infante Jurado Llanos del_Águila Montes Noriega Otero Portocarrero Quintero Rubio Santa_Cruz Toledo
Ugarte Valdivia Yrigoyen Zambrano de_la_Vega Alarcón Bazán
"""
_HEADS_ES = {
    "PE": """
        Quispe Flores Sánchez Rodríguez García Rojas Huamán Mamani Vásquez Ramos Díaz Torres López Gonzales
        Chávez Mendoza Cruz Castillo Condori Espinoza Fernández Gutiérrez Huanca Vilca Choque Apaza Ccori
        Yupanqui Palomino Chuquillanqui Ticona
    """,
    "ES": """
        García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez Hernández Ruiz
        Díaz Moreno Muñoz Álvarez Romero Gutiérrez Alonso Navarro Torres Domínguez Vázquez Ramos Gil Serrano
        Blanco Molina Puig Ferrer Iglesias Castaño
    """,
    "MX": """
        Hernández García Martínez López González Pérez Rodríguez Sánchez Ramírez Cruz Flores Gómez Morales
        Vázquez Reyes Jiménez Torres Díaz Gutiérrez Ruiz Mendoza Aguilar Ortiz Moreno Castillo Juárez Bautista
        Xolalpa Tun Canul
    """,
    "CO": """
        Rodríguez Gómez González Martínez García López Hernández Sánchez Ramírez Pérez Díaz Muñoz Rojas Moreno
        Jiménez Ospina Restrepo Giraldo Zuluaga Cárdenas Betancur Arango Quintero
    """,
    "AR": """
        González Rodríguez Gómez Fernández López Díaz Martínez Pérez García Sánchez Romero Sosa Torres Álvarez
        Ruiz Ramírez Flores Rossi Bianchi Ferrari Russo Romano Colombo Esposito Giménez Schmidt Kowalski
        Ledesma
    """,
    "CL": """
        González Muñoz Rojas Díaz Pérez Soto Contreras Silva Martínez Sepúlveda Morales Rodríguez López
        Fuentes Hernández Torres Araya Flores Espinoza Valenzuela Castillo Huenchumán Nahuelpán Errázuriz
    """,
}
_BASQUE = _joined(
    "Goico Mendi Iturri Zubi Arri Ola Etxe Urru Beloqui Elor Laza",
    "aga zábal barría alde ena garay iza queta rate guren",
)
_ANDEAN = _joined(
    "Chuqui Cusi Huara Poma Condor Yupan Anca Callo Tito Sulla Ccahua",
    "huanca pari rimac tupa mayta cahua llanca ñaupa machi",
)
_CATALAN = _joined("Mont Puig Vila Font Riu Roca Bon Cas", "serrat vert mar dellà noguera nova fort bella")
_EN = """
Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Wilson Anderson
Thomas Taylor Moore Jackson Martin Lee Thompson White Harris Clark Lewis Robinson Walker Young Allen King
Wright Scott Hill Green Adams Nelson Baker Hall Campbell Mitchell Carter Roberts O'Brien McCarthy Stewart
Morris Murphy Cook Bailey Cooper Kelly Howard Ward Richardson Watson Brooks Bennett Gray Hughes Price Myers
Foster Sanders Ross Powell Sullivan Whitfield Abernathy Featherstone Quackenbush
"""
_PT = """
da_Silva dos_Santos Oliveira de_Souza Rodrigues Ferreira Alves Pereira Lima Gomes Costa Ribeiro Martins
Carvalho Almeida Lopes Soares Fernandes Vieira Barbosa Rocha Dias Nascimento Andrade Moreira Nunes Marques
Machado Mendes Freitas Cardoso Ramos Gonçalves Santana Teixeira Araújo Melo Cavalcanti Monteiro Moura Correia
Batista Campos Azevedo Farias Pinto Assunção Guimarães Figueiredo Brandão Bittencourt Albuquerque Vasconcelos
"""
_COMPOUND_EN = _joined(
    "Ash Black Brad Clay Dun Hart Lang North Strat Win", "bury field ford ham ley more stone ton well wood"
)
_COMPOUND_PT = _joined("Castel Mont Val Agu Carn Serr Pinh", "alho edo eiro im oso ano areda")


def _surnames(country: str) -> Pool:
    """Give the surnames of a Spanish-speaking country: its own most common, the common to all, the rare."""
    rare = {"PE": _ANDEAN + _BASQUE, "ES": _BASQUE + _CATALAN}.get(country, _BASQUE + _CATALAN + _ANDEAN)
    return Pool.of([*_HEADS_ES[country].split(), *_COMMON_ES.split(), *rare], flat=5)


SURNAMES: Mapping[str, Pool] = {
    **{country: _surnames(country) for country in _HEADS_ES},
    "US": Pool.of([*_EN.split(), *_COMPOUND_EN], flat=5),
    "BR": Pool.of([*_PT.split(), *_COMPOUND_PT], flat=5),
}

_NICKNAMES = """
Francisco Paco Pancho Fran|José Pepe|Guadalupe Lupe Lupita|Jesús Chucho Chuy|Manuel Manolo Manu|Ignacio Nacho
Enrique Quique Kike|Antonio Toño Toni|Alberto Beto|Roberto Beto|Eduardo Lalo Edu|Guillermo Memo Guille
Rafael Rafa|Fernando Fer Nando|Alejandro Alex Jano|Ricardo Richi Ricky|Gerardo Jerry|Sergio Checo|Luis Lucho
Jorge Coque|Miguel Migue Micky|Javier Javi|Daniel Dani|Vicente Chente|Salvador Chava|Ramón Moncho|Pedro Perico
Gabriel Gabo|Santiago Santi Chago|Sebastián Sebas|Nicolás Nico|Cristian Cris|Víctor Vic|José_María Chema
Juan_Carlos Juanca|José_Luis Pepe_Lucho|Miguel_Ángel Miguelón|Juan_José Juanjo|Juan_Manuel Juanma|María Mari
María_José Majo Cote|María_Teresa Maite|María_Fernanda Mafer|María_del_Carmen Maricarmen|María_Luisa Marilú
María_Isabel Maribel|María_Elena Malena|Rosa_María Rosi|María_Guadalupe Lupita|Ana_María Anita|Dolores Lola
Concepción Concha Conchita|Mercedes Meche Merche|Rosario Charo|Consuelo Chelo|Isabel Chabela Isa
Josefina Pepa Fina|Francisca Paquita Pancha|Teresa Tere|Graciela Chela|Patricia Paty|Gabriela Gaby
Verónica Vero|Alejandra Ale|Carolina Caro|Beatriz Bea Betty|Soledad Sole|Milagros Mili|Magdalena Magda
Susana Susy|Elizabeth Eli Liz Beth|Daniela Dani|Valentina Vale|Valeria Vale|Margarita Margot|Cristina Cris
Antonia Toña|Catalina Cata|Lourdes Lulú|James Jim Jimmy|Robert Bob Rob|William Bill Will|Richard Dick Rick
Michael Mike|Thomas Tom|Joseph Joe|Charles Charlie Chuck|John Jack|Christopher Chris|Daniel Dan|Matthew Matt
Anthony Tony|Edward Ed Ted|Steven Steve|Andrew Andy Drew|Kenneth Ken|Nicholas Nick|Jonathan Jon|Benjamin Ben
Samuel Sam|Gregory Greg|Alexander Alex|Lawrence Larry|Margaret Peggy Maggie|Jennifer Jenny|Barbara Barb
Susan Sue|Deborah Debbie|Rebecca Becky|Katherine Kate Kathy|Catherine Cathy|Pamela Pam|Samantha Sam
Christine Chris|Stephanie Steph|Antônio Toninho|João Joãozinho|Francisco Chico|Luiz Lula|Eduardo Dudu
Gustavo Guga|Guilherme Gui|Felipe Lipe|Rodrigo Digo|Maria Mariazinha|Francisca Chica|Fernanda Nanda|Juliana Ju
Gabriela Gabi|Beatriz Bia|Letícia Lê|Luciana Lu|Conceição Ceição
"""


def _nicknames() -> dict[str, tuple[str, ...]]:
    """Give the short forms by given name, of all three languages together."""
    forms: dict[str, tuple[str, ...]] = {}
    for line in _NICKNAMES.replace("\n", "|").split("|"):
        name, *short = (word.replace("_", " ") for word in line.split() or [""])
        forms[name] = forms.get(name, ()) + tuple(short)
    del forms[""]
    return forms


NICKNAMES: Mapping[str, tuple[str, ...]] = _nicknames()

_TITLES_ES = """
Gerente General|Jefe de Compras,Jefa de Compras|Administrador,Administradora|Gerente Comercial
Contador,Contadora|Asistente de Gerencia|Director Comercial,Directora Comercial|Jefe de Ventas,Jefa de Ventas
Ingeniero de Proyectos,Ingeniera de Proyectos|Socio,Socia|Propietario,Propietaria
Coordinador de Logística,Coordinadora de Logística|Analista de Sistemas|Gerente de Operaciones
Responsable de Marketing|Vendedor,Vendedora|Director Financiero,Directora Financiera
Supervisor de Planta,Supervisora de Planta|Abogado,Abogada|Secretario,Secretaria|Médico,Médica
Jefe de Recursos Humanos,Jefa de Recursos Humanos|Ejecutivo de Cuentas,Ejecutiva de Cuentas
Arquitecto,Arquitecta|Docente|Encargado de Tienda,Encargada de Tienda
"""
_TITLES_EN = """
Chief Executive Officer|Sales Manager|Office Manager|Purchasing Manager|Accountant|Marketing Director|Owner
Project Engineer|Account Executive|Operations Manager|VP of Sales|HR Manager|IT Analyst|Consultant|Partner
"""
_TITLES_PT = """
Diretor Geral,Diretora Geral|Gerente de Vendas|Gerente de Compras|Contador,Contadora|Analista de Sistemas
Sócio,Sócia|Coordenador de Logística,Coordenadora de Logística|Gerente Financeiro,Gerente Financeira
Assistente Administrativo,Assistente Administrativa|Engenheiro,Engenheira|Vendedor,Vendedora
"""


def _titles(table: str, *, female: bool) -> Pool:
    """Give the job titles of one language in the man's or the woman's form."""
    cells = table.strip().replace("\n", "|").split("|")
    return Pool.of([cell.split(",")[-1 if female else 0] for cell in cells], flat=8)


TITLES: Mapping[str, tuple[Pool, Pool]] = {
    language: (_titles(table, female=False), _titles(table, female=True))
    for language, table in (("es", _TITLES_ES), ("en", _TITLES_EN), ("pt", _TITLES_PT))
}

_SECTORS_ES = """
Comercial Distribución|Ferretería Comercio|Inversiones Finanzas|Constructora Construcción
Transportes Transporte|Distribuidora Distribución|Servicios_Generales Servicios|Consultores Consultoría
Importaciones Comercio|Agroindustrias Agricultura|Clínica Salud|Industrias Manufactura|Textiles Manufactura
Corporación Servicios|Inmobiliaria Inmobiliario|Botica Salud|Panadería Alimentos|Restaurante Hostelería
Hotel Hostelería|Tecnología Tecnología|Soluciones Tecnología|Logística Transporte|Minera Minería
Estudio_Jurídico Servicios|Laboratorios Salud|Editorial Medios|Imprenta Medios|Muebles Comercio
Repuestos Comercio|Colegio Educación|Academia Educación|Viajes Turismo|Seguridad Servicios
Compañía Manufactura|Pesquera Alimentos|Avícola Alimentos|Viveros Agricultura|Maderera Manufactura
Grupo Servicios|Óptica Salud
"""
_SECTORS_EN = """
Construction Construction|Consulting Consulting|Logistics Transport|Hardware Retail|Foods Food|Medical Health
Software Technology|Realty Real_estate|Travel Tourism|Industries Manufacturing|Trading Distribution
Media Media
"""
_SECTORS_PT = """
Comércio Comércio|Construtora Construção|Transportes Transporte|Distribuidora Distribuição
Indústria Manufatura|Consultoria Consultoria|Padaria Alimentos|Clínica Saúde|Tecnologia Tecnologia
Agropecuária Agricultura|Imobiliária Imobiliário|Gráfica Mídia
"""


def _sectors(table: str) -> tuple[tuple[str, str], ...]:
    """Give pairs of the word in a company's name and its industry."""
    pairs = (cell.split() for cell in table.strip().replace("\n", "|").split("|"))
    return tuple((word.replace("_", " "), industry.replace("_", " ")) for word, industry in pairs)


SECTORS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "es": _sectors(_SECTORS_ES),
    "en": _sectors(_SECTORS_EN),
    "pt": _sectors(_SECTORS_PT),
}

NOTES: tuple[str, ...] = (
    "Llamar por la tarde.",
    "Prefiere WhatsApp.",
    "Cliente desde hace años; pide descuento por volumen.",
    "Pendiente de cotización",
    "No contesta el teléfono, escribir al correo.",
    "Conocido en la feria.\nPidió catálogo.",
    "Paga a 30 días",
    "Viaja mucho; llamar al celular",
    "Recomendado por su cuñado.",
    "Ojo: confirmar dirección de entrega",
    "Interesado en el plan anual; volver a llamar en marzo.",
    "VIP",
)
