"""Which PIN somebody may choose."""

from __future__ import annotations

import pytest

from orchestrator.adapters.identity.secrets import Argon2Secrets
from orchestrator.domain.people.pins import PinRefusedError, is_guessed_at_once, require_good_pin
from tests.support.staff import cheap_secrets


@pytest.mark.parametrize("pin", ["428615", "112233", "123457", "121212", "010203", "024680", "654312"])
def test_six_digits_that_are_not_tried_first_are_good(pin: str) -> None:
    require_good_pin(pin, present="903172")


@pytest.mark.parametrize(
    ("pin", "part"),
    [
        ("903172", "present"),
        ("000000", "all the same"),
        ("999999", "all the same"),
        ("012345", "run up"),
        ("456789", "run up"),
        ("789012", "run up"),
        ("543210", "run up or down"),
        ("210987", "run up or down"),
        ("42861", "not 6 digits"),
        ("4286150", "not 6 digits"),
        ("42861x", "not 6 digits"),
        ("428615\n", "not 6 digits"),
        ("\u0664\u0662\u0668\u0666\u0661\u0665", "not 6 digits"),
        ("", "not 6 digits"),
    ],
)
def test_what_is_none_or_is_guessed_at_once_is_refused_and_not_repeated(pin: str, part: str) -> None:
    with pytest.raises(PinRefusedError) as refused:
        require_good_pin(pin, present="903172")
    assert part in refused.value.message
    assert not pin or pin not in refused.value.message


def test_no_pin_that_is_made_here_is_guessed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([0, 123456, 428615])
    monkeypatch.setattr("orchestrator.adapters.identity.secrets.secrets.randbelow", lambda _: next(drawn))
    secrets: Argon2Secrets = cheap_secrets()
    assert secrets.new_pin() == "428615"


def test_thirty_pins_are_guessed_at_once() -> None:
    assert sum(is_guessed_at_once(f"{number:06d}") for number in range(10**6)) == 30
