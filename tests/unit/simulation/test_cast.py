"""Who plays where in a demonstration, on sites that make it easy and on sites that do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.domain.site.model import Site, Station, StationKind
from simulation.demo.cast import WARD_KINDS, NoStageError, choose_cast, draw_routes
from tests.support.wards import demo_hospital, porter_model


def with_kinds(site: Site, kind_of: Callable[[Station], StationKind]) -> Site:
    stations = {id: replace(station, kind=kind_of(station)) for id, station in site.stations.items()}
    return replace(site, stations=stations)


def test_robots_live_on_chargers_first_and_serve_every_ward_from_every_hatch() -> None:
    cast = choose_cast(demo_hospital(), model=porter_model(), robots=3)

    assert [robot.home for robot in cast.robots] == ["charger_1", "charger_2", "charger_3"]
    assert cast.hatches == ("pharmacy_hatch_1", "pharmacy_hatch_2")
    assert len(cast.wards) == 16
    assert cast.notes == ()


def test_where_nothing_looks_like_a_pharmacy_or_a_ward_other_stations_play_them_and_it_is_said() -> None:
    site = with_kinds(demo_hospital(), lambda s: s.kind if s.kind.is_resting_place else StationKind.OTHER)

    cast = choose_cast(site, model=porter_model(), robots=2)

    assert len(cast.hatches) == 1
    assert cast.hatches[0] not in cast.wards
    assert len(cast.notes) == 2
    assert cast.hatches[0] in cast.notes[0]


def test_where_there_are_only_wards_one_of_them_plays_the_pharmacy() -> None:
    site = with_kinds(
        demo_hospital(), lambda s: StationKind.BEDSIDE if s.kind is StationKind.PHARMACY_HATCH else s.kind
    )
    site = replace(
        site,
        stations={k: s for k, s in site.stations.items() if s.kind in WARD_KINDS or s.kind is StationKind.CHARGER},
    )

    cast = choose_cast(site, model=porter_model(), robots=2)

    assert len(cast.hatches) == 1
    assert cast.hatches[0] not in cast.wards


def test_nobody_loads_or_receives_at_a_spare_resting_place() -> None:
    site = with_kinds(
        demo_hospital(),
        lambda s: s.kind if s.kind.is_resting_place or s.kind is StationKind.PHARMACY_HATCH else StationKind.PARKING,
    )

    cast = choose_cast(site, model=porter_model(), robots=2)

    assert {site.stations[id].kind for id in cast.hatches + cast.wards} == {StationKind.PHARMACY_HATCH}


def test_a_site_with_nothing_but_resting_places_is_refused() -> None:
    site = with_kinds(demo_hospital(), lambda s: s.kind if s.kind.is_resting_place else StationKind.PARKING)

    with pytest.raises(NoStageError, match="where nobody rests"):
        choose_cast(site, model=porter_model(), robots=2)


def test_more_robots_than_resting_places_are_refused_and_the_possible_number_is_named() -> None:
    with pytest.raises(NoStageError, match="Try --robots 9"):
        choose_cast(demo_hospital(), model=porter_model(), robots=40)


def test_two_deliveries_in_a_row_go_to_one_place_and_every_ward_has_its_turn() -> None:
    cast = choose_cast(demo_hospital(), model=porter_model(), robots=3)

    routes = draw_routes(cast, count=32, seed=5)

    assert all(routes[i] == routes[i + 1] for i in range(0, 32, 2))
    assert {end for _, end in routes} == set(cast.wards)
    assert routes == draw_routes(cast, count=32, seed=5)
