"""How much of a state we keep: what a robot lists, and how long its words may be.

A report stays in memory and on the books until the next one, and its words go into events and pages. Real robots list
some hundred actions on a long order, and their ids are at most some dozen characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized

from orchestrator.vda5050.messages import State

ENTRIES_MAX = 1000
ID_LENGTH_MAX = 256
WORDS_LENGTH_MAX = 500


def excess_of(state: State) -> str | None:
    """Return what there is too much of in a state, None when it can be kept."""
    lists: dict[str, Sized | None] = {
        "nodeStates": state.node_states,
        "edgeStates": state.edge_states,
        "actionStates": state.action_states,
        "errors": state.errors,
        "loads": state.loads,
    }
    for name, entries in lists.items():
        if entries is not None and len(entries) > ENTRIES_MAX:
            return f"its {name} lists {len(entries)} entries, at most {ENTRIES_MAX} are kept"
    if any(len(each) > ID_LENGTH_MAX for each in _ids(state)):
        return f"an id in it is longer than {ID_LENGTH_MAX} characters"
    return None


def words(text: str) -> str:
    """Return a robot's words, cut to what people read."""
    return text if len(text) <= WORDS_LENGTH_MAX else text[: WORDS_LENGTH_MAX - 1] + "…"


def _ids(state: State) -> Iterable[str]:
    yield from (state.order_id, state.last_node_id)
    if state.agv_position is not None:
        yield state.agv_position.map_id
    yield from (action.action_id for action in state.action_states)
    yield from (load.load_id or "" for load in state.loads or ())
    yield from (error.error_type for error in state.errors)
