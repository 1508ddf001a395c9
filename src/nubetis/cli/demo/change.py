"""The middle: duplicates found and merged, a bulk edit; each taken back, and proved to be."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import attrs

import nubetis
from nubetis import F
from nubetis.cli.demo.fill import TRUTH, top_values
from nubetis.cli.face import RenderableType, bar, grid, group, line
from nubetis.cli.plans import plan_grid, plan_text
from nubetis.cli.texts import _, counted
from nubetis.data import (
    ColumnKind,
    Matches,
    Pair,
    best_master,
    export,
    export_fields,
    merge,
    plan_merge,
    profile_columns,
    side_by_side,
)
from nubetis.model.filters import EVERYTHING
from nubetis.model.fold import fold_text

if TYPE_CHECKING:
    from nubetis import Record
    from nubetis.cli.demo.stage import Stage

__all__ = ["Found", "agree_in_names", "bulk_edit", "find_pairs", "merge_all", "merge_once"]

SURE = 0.95
_LOOKED_AT = 150
_BINS = ((0.99, "≥ 99 %"), (0.95, "95 – 99 %"), (0.8, "80 – 95 %"), (0.0, "< 80 %"))
_TAG = "demo-2026"


@attrs.frozen
class Found:
    """The duplicates among the records: groups of ids, and the group that is shown."""

    groups: tuple[tuple[str, ...], ...]
    shown: tuple[str, ...]


def find_pairs(stage: Stage) -> Found | None:
    """Find records that mean the same; explain one pair."""
    ids, table = _as_table(stage)
    if len(ids) < 2:
        stage.facts["duplicates"] = {"pairs": 0, "groups": 0}
        stage.nothing()
        return None
    with stage.face.progress(_("Comparing")):
        matches = table.duplicates(seed=1)
        clusters = matches.clusters(above=SURE)
    stage.facts["duplicates"] = {"pairs": len(matches), "groups": len(clusters), "above": SURE}
    pairs = counted("{count} pair looks alike", "{count} pairs look alike", len(matches))
    sure = counted(
        "{count} group is sure to {sure:.0%} or more",
        "{count} groups are sure to {sure:.0%} or more",
        len(clusters),
        sure=SURE,
    )
    stage.face.show(line(f"{pairs}; {sure}. " + _("Nothing was labelled.")), _spread(stage, matches))
    _judge(stage, clusters)
    if not clusters:
        return None
    pair, shown = _telling_pair(table, matches, clusters)
    stage.face.show(_explained(stage, table, pair))
    return Found(tuple(tuple(ids[row] for row in each) for each in clusters), tuple(ids[row] for row in shown))


def _as_table(stage: Stage) -> tuple[list[str], nubetis.Table]:
    """Give the records as a table of text, and their ids; links are left out, as ids say nothing of who is who."""
    module = stage.module
    links = [name for name in export_fields(module) if module.field(name).targets and name != "id"]
    unseen = {"version", "tags", *TRUTH, *links, *_numbers(stage)}
    fields = [name for name in export_fields(module) if name not in unseen]
    buffer = io.BytesIO()
    export(stage.session, buffer, module=module.name, fields=fields)
    table = nubetis.read(buffer.getvalue(), file_format="csv", encoding="utf-8", delimiter=",", header=1)
    return [str(each) for each in table["id"]], table.without("id")


def _numbers(stage: Stage) -> set[str]:
    """Give the fields in which the file only numbers its rows."""
    kinds = {each.name: each.kind for each in profile_columns(stage.table.to_dict())}
    return {field for column, field in stage.fit.field_map.fields.items() if kinds[column] is ColumnKind.KEY}


def _judge(stage: Stage, clusters: Sequence[Sequence[int]]) -> None:
    """Compare the groups with the truth, where the file holds it; the search never saw it."""
    if len(stage.truth) < 2:
        return
    real = Counter([who for who in stage.truth if who])
    wanted = sum(count * (count - 1) // 2 for count in real.values())
    pairs = [pair for rows in clusters for pair in combinations(rows, 2)]
    right = sum(stage.truth[one] == stage.truth[other] is not None for one, other in pairs)
    precision, recall = right / max(1, len(pairs)), right / max(1, wanted)
    stage.facts["truth"] = {"pairs": wanted, "precision": round(precision, 4), "recall": round(recall, 4)}
    text = _(
        "The right answer is known, and the search was not told it. "
        "Of the pairs it found, {precision:.1%} are right; of the right pairs, it found {recall:.1%}."
    )
    stage.face.show(line(text.format(precision=precision, recall=recall), "green"))


def _spread(stage: Stage, matches: Matches) -> RenderableType:
    counts = [0] * len(_BINS)
    for pair in matches:
        counts[next(place for place, (low, _label) in enumerate(_BINS) if pair.score >= low)] += 1
    rows = [
        [label, count, bar(count, of=max(counts))] for (_low, label), count in zip(_BINS, counts, strict=True) if count
    ]
    return grid([_("sure"), _("pairs"), ""], rows, room=stage.room, right=[_("pairs")])


def agree_in_names(table: nubetis.Table, rows: Sequence[int]) -> bool:
    """Say whether *rows* share a first name, and none has a surname as one, as where the two were swapped."""
    first, last = (_words(table, name, rows) for name in ("first_name", "last_name"))
    if not first or not last:
        return True
    return bool(frozenset.intersection(*first)) and frozenset().union(*first).isdisjoint(frozenset().union(*last))


def _words(table: nubetis.Table, column: str, rows: Sequence[int]) -> list[frozenset[str]]:
    cells = table[column] if column in table.columns else None
    return [] if cells is None else [frozenset(fold_text(cells[row] or "").split()) for row in rows]


def _telling_pair(
    table: nubetis.Table, matches: Matches, clusters: Sequence[tuple[int, ...]]
) -> tuple[Pair, tuple[int, ...]]:
    """Give a sure pair whose rows differ in many cells, and its group: the one worth explaining."""
    columns = [table[name] for name in table.columns]

    def different(pair: Pair) -> int:
        cells = [(column[pair.first], column[pair.second]) for column in columns]
        return sum(1 for one, other in cells if one and other and one != other)

    groups = {row: each for each in clusters for row in each}
    sure = [pair for pair, _place in zip(matches, range(_LOOKED_AT), strict=False) if pair.score >= SURE]
    plain = [pair for pair in sure if agree_in_names(table, groups.get(pair.first, ()) or (pair.first, pair.second))]
    chosen = max(plain or sure or list(matches)[:1], key=lambda pair: (different(pair), -pair.first))
    return matches.explain(chosen.first, chosen.second), groups.get(chosen.first, clusters[0])


def _explained(stage: Stage, table: nubetis.Table, pair: Pair) -> RenderableType:
    rows: list[list[object]] = []
    for name in table.columns:
        one, other = table[name][pair.first], table[name][pair.second]
        if one or other:
            rows.append([name, one, other, f"{pair.weights[name]:+.1f}" if name in pair.weights else ""])
    title = _("Why these two are one ({score:.1%}); bits of evidence, for (+) and against (-)")
    columns = [_("field"), _("one"), _("other"), _("bits")]
    return group(line(title.format(score=pair.score), "bold"), grid(columns, rows, room=stage.room, right=[_("bits")]))


# --- merging ---------------------------------------------------------------------------------------


def _sorted(stage: Stage, ids: Sequence[str]) -> list[Record]:
    """Give the records of a group, the best one first."""
    records = [stage.session.get(each) for each in ids]
    best = best_master(records, stage.module)
    return [best, *[each for each in records if each.id != best.id]]


def merge_once(stage: Stage, found: Found) -> None:
    """Show a merge before it is made, make it, take it back, and prove that all is as before."""
    session, module = stage.session, stage.module
    before, count = stage.fingerprint(), session.count(module.name)
    master, *losers = _sorted(stage, found.shown)
    plan = plan_merge(session, master, losers)
    stage.face.show(_side_by_side(stage, [master, *losers]))
    stage.face.show(line(_("The plan: {plan}").format(plan=plan_text(plan)), "bold"), plan_grid(plan, room=stage.room))
    operation = session.apply(plan)
    merged = session.count(module.name)
    undone = session.undo(operation)
    same = stage.fingerprint() == before
    stage.facts["merge"] = {"master": master.id, "losers": [each.id for each in losers], "undone_equal": same}
    after = session.count(module.name)
    text = _("{before} records → merged {merged} → taken back {after}").format(before=count, merged=merged, after=after)
    back = counted("{count} record set back", "{count} records set back", len(undone.reversed))
    stage.face.show(line(f"{text}; {back}"))
    _say_same(stage, before, same=same)


def _side_by_side(stage: Stage, records: Sequence[Record]) -> RenderableType:
    rows = [[name, *values] for name, values in side_by_side(records, stage.module).items()]
    return grid([_("field"), f"★ {records[0].id}", *[each.id for each in records[1:]]], rows, room=stage.room)


def _say_same(stage: Stage, before: str, *, same: bool) -> None:
    good = _("✓ every value of every record is what it was: SHA-256 {hash}").format(hash=before[:16])
    stage.face.show(line(good, "bold green") if same else line(_("✗ something is not what it was"), "bold red"))


def merge_all(stage: Stage, found: Found) -> None:
    """Merge each group, one plan and one operation a group."""
    count = stage.session.count(stage.module.name)
    with stage.face.progress(_("Merging")) as progress:
        for place, ids in enumerate(found.groups, start=1):
            master, *losers = _sorted(stage, ids)
            merge(stage.session, master, losers)
            progress(place, len(found.groups))
    left = stage.session.count(stage.module.name)
    stage.facts["merged"] = {"groups": len(found.groups), "before": count, "after": left}
    groups = counted("{count} group merged", "{count} groups merged", len(found.groups))
    text = _("{before} records became {after}. Each merge can be taken back by itself.").format(
        before=count, after=left
    )
    stage.face.show(line(f"{groups}: {text}", "green"))


# --- a bulk edit -----------------------------------------------------------------------------------


def bulk_edit(stage: Stage) -> None:
    """Plan one edit of many records, apply it, take it back."""
    session, module = stage.session, stage.module
    top = top_values(stage)
    where, said = (F[top[0]] == top[1][0][0], f'{top[0]} = "{top[1][0][0]}"') if top else (EVERYTHING, "everything")
    with stage.face.progress(_("Planning")):
        before = stage.fingerprint()
        plan = session.plan_update(module.name, where, tags=(_TAG,))
    stage.face.show(line(f"{said}  ⇒  tags = {_TAG}", "bold"), plan_grid(plan, room=stage.room, most=3))
    if not len(plan):
        stage.facts["bulk"] = {"filter": said, "changed": 0, "undone_equal": True}
        return
    with stage.face.progress(_("Editing")) as progress:
        operation = session.apply(plan, progress=progress)
        tagged = session.count(module.name, F.tags.any_of(_TAG))
    with stage.face.progress(_("Taking back")) as progress:
        session.undo(operation, progress=progress)
        same = stage.fingerprint() == before
    stage.facts["bulk"] = {"filter": said, "changed": tagged, "undone_equal": same}
    stage.face.show(
        line(counted("{count} record edited, and taken back", "{count} records edited, and taken back", tagged))
    )
    _say_same(stage, before, same=same)
