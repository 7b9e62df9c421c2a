from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

from orchestrator.adapters.drawing.labels import Box, place_labels
from orchestrator.adapters.drawing.level import draw_level, page_of
from orchestrator.adapters.drawing.sheet import draw_site
from orchestrator.domain.site.model import Door, DoorId, Lift, LiftId, Site, StationId, Wall
from tests.support.sites import FIRST, GROUND, a_ward

SVG = "{http://www.w3.org/2000/svg}"


def a_drawn_ward() -> Site:
    door = Door(DoorId("gate"), GROUND, (7.0, -1.0), (7.0, 1.0))
    lift = Lift(LiftId("lift"), 20.0, 0.0, 0.3, 2.0, 2.0, (GROUND, FIRST))
    walls = (Wall(GROUND, (0.0, 5.0), (15.0, 5.0)),)
    return replace(a_ward(), doors={door.id: door}, lifts={lift.id: lift}, walls=walls)


def ids_of(svg: str) -> list[str]:
    return [element.attrib["id"] for element in ElementTree.fromstring(svg).iter() if "id" in element.attrib]


def test_every_thing_on_a_level_has_an_id_of_its_own() -> None:
    ids = ids_of(draw_level(a_drawn_ward(), GROUND))
    assert len(ids) == len(set(ids))
    for expected in (
        "level-ground",
        "lane-hatch~west",
        "waypoint-west",
        "station-ward",
        "door-gate",
        "lift-lift--ground",
    ):
        assert expected in ids
    assert ids[-1] == "level-ground-live"


def test_the_drawing_is_in_metres_with_y_upside_down() -> None:
    root = ElementTree.fromstring(draw_level(a_drawn_ward(), GROUND))
    charger = next(each for each in root.iter(f"{SVG}circle") if each.attrib.get("id") == "waypoint-charger")
    assert (float(charger.attrib["cx"]), float(charger.attrib["cy"])) == (5.0, -4.0)
    left, top, width, height = (float(part) for part in root.attrib["viewBox"].split())
    assert left < 0.0 < 21.0 < left + width
    assert top < -5.0 < 1.0 < top + height


def test_all_levels_of_a_site_have_the_same_frame() -> None:
    site = a_drawn_ward()
    frames = {ElementTree.fromstring(draw_level(site, level)).attrib["viewBox"] for level in site.levels}
    assert len(frames) == 1


def test_the_sheet_holds_every_level_and_no_id_twice() -> None:
    ids = ids_of(draw_site(a_drawn_ward()))
    assert {"level-ground", "level-first"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_names_with_signs_are_written_so_that_the_picture_stays_whole() -> None:
    site = a_drawn_ward()
    ward = replace(site.stations[StationId("ward")], name='A & <B> "C"')
    root = ElementTree.fromstring(draw_site(replace(site, stations={**site.stations, ward.id: ward})))
    assert 'A & <B> "C"' in [text.text for text in root.iter(f"{SVG}text")]


def test_an_empty_site_has_a_page_all_the_same() -> None:
    site = replace(a_ward(), graphs={}, stations={})
    assert page_of(site).right > page_of(site).left
    assert ids_of(draw_site(site))


def test_labels_keep_off_symbols_and_each_other() -> None:
    page = Box(0.0, 0.0, 40.0, 40.0)
    symbol = Box(20.5, 9.0, 30.0, 11.0)
    names = [("one name", (20.0, 10.0)), ("two name", (20.0, 12.0))]
    one, two = place_labels(names, taken=[symbol], thin=[], page=page, font=1.0, gap=0.5)
    assert one.x < 20.0
    assert abs(one.y - two.y) >= 1.0 or abs(one.x - two.x) >= 4.0
