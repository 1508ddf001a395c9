"""Which sentence of the Store contract is held by which cases; a test compares the table with the docstrings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["BEYOND", "RULES", "sentences_of"]

RULES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "The contract": {
        "The Store contract: what a back end must do, and nothing of users or rights.": (
            "whatever_is_done_in_any_order_it_is_as_in_memory",
        ),
        "A store keeps *rows* of modules.": (
            "rows_come_back_as_they_were_written",
            "the_same_key_in_two_modules_is_two_rows",
        ),
        (
            "A row is a tuple in the order of ``module.layout.columns``, of stored values "
            "(:class:`nubetis.model.fields.Storage`)."
        ): (
            "rows_come_back_as_they_were_written",
            "a_stream_gives_whole_rows_unless_told",
        ),
        (
            "What can be derived from a row the store derives by itself, in the same write: folded twins "
            "(``layout.twins``), the index of set columns, tallies."
        ): (
            "an_update_moves_the_folded_twin",
            "sets_follow_updates",
            "tallies_are_what_counting_gives",
            "a_bulk_load_takes_rows_in_any_order_from_any_iterable",
        ),
        "**Units.** :meth:`Store.read` and :meth:`Store.write` call a unit of work with a :class:`Txn`.": (
            "a_unit_gives_what_it_returns",
        ),
        "The unit may be called again when the store must retry, so it has no effect outside the transaction.": (
            "racing_guards_never_oversell",
        ),
        "When it raises, nothing of it stays.": (
            "a_failed_unit_leaves_nothing",
            "a_unit_ended_by_whatever_leaves_nothing",
        ),
        "A read unit sees one snapshot; a write unit sees its own writes.": (
            "a_read_unit_sees_one_snapshot",
            "a_commit_is_seen_whole_or_not_at_all",
            "a_write_unit_sees_its_own_writes",
            "a_stream_is_not_disturbed_by_writers",
            "a_read_unit_sees_one_snapshot_by_every_way_of_looking",
            "a_write_unit_sees_its_own_writes_by_every_way_of_looking",
            "linked_filters_look_at_the_snapshot_of_their_unit",
        ),
        (
            "A unit opens no other unit of its store in the same thread: that is refused with "
            "``store_failed``, as is a write in a read unit."
        ): (
            "a_unit_inside_a_unit_is_refused",
            "a_read_unit_may_not_write",
        ),
        "**Writes** are serialisable.": (
            "writers_who_meet_inside_their_units_stay_serial",
            "rights_that_move_while_a_writer_pauses_are_not_overlooked",
            "threads_lose_no_update_and_write_under_no_stale_right",
            "processes_lose_no_update_and_write_under_no_stale_right",
            "of_two_units_that_look_and_find_nothing_one_writes",
        ),
        (
            "A :class:`Batch` is applied whole or not at all; what stands against it is *returned* as "
            "conflicts, and the transaction goes on as if the batch had not been offered."
        ): (
            "a_batch_with_a_conflict_leaves_nothing",
            "the_transaction_goes_on_after_a_conflict",
            "a_failed_guard_takes_the_rows_with_it",
            "whatever_stands_against_a_batch_nothing_of_it_stays",
        ),
        "The parts of a batch apply in their order, and each row must fit what stands before it.": (
            "parts_apply_in_their_order",
            "a_batch_of_thousands_is_one_batch",
        ),
        "**Versions.** An update with an expected version applies only to that version; the store adds one.": (
            "an_update_with_the_right_version_raises_it_by_one",
            "a_stale_row_is_found_wherever_it_stands",
            "of_two_writers_with_one_version_one_is_stale",
        ),
        (
            "**Uniqueness** holds among living rows (``deleted_in`` is ``None``) on the folded value, "
            "also between writers."
        ): (
            "a_folded_twin_is_not_unique",
            "a_long_text_is_unique_however_long_it_is",
            "what_only_looks_alike_is_unique",
            "uniqueness_holds_within_one_batch",
            "deleting_frees_a_unique_value_and_restoring_claims_it",
            "a_ledger_is_unique_without_deletion",
            "of_two_writers_with_one_value_one_is_refused",
        ),
        (
            "**Durability.** When ``write`` returns, the unit survives the end of the process; in the "
            "durable profile it survives the loss of power."
        ): (
            "what_was_written_is_there_when_it_is_opened_again",
            "a_process_killed_while_it_commits_leaves_whole_units",
            "a_process_killed_beside_others_leaves_whole_units",
            "what_a_process_wrote_last_is_there_when_it_is_killed_at_once",
            "what_is_written_after_compacting_is_there_when_it_is_opened_again",
            "an_operation_that_was_cancelled_is_gone_on_with",
            "compacting_changes_nothing_that_is_read",
        ),
        "**Order.** Text compares by code point; an empty value sorts first.": (
            "text_compares_by_code_point",
            "text_pages_by_code_point",
            "text_groups_by_the_letter",
            "a_trailing_space_counts",
        ),
        "**Isolation.** A store serves one organisation.": ("organisations_do_not_see_each_other",),
        "Threads, processes and forks may share it; a store reopens after a fork.": (
            "processes_never_oversell",
            "a_store_is_used_on_both_sides_of_a_fork",
            "who_follows_the_journal_misses_nothing",
        ),
        "Waiting for other writers is the store's business.": (
            "units_that_touch_the_same_rows_in_any_order_all_come_to_their_end",
            "writers_who_meet_inside_their_units_stay_serial",
            "tallies_do_not_lose_what_many_write_at_once",
        ),
        (
            "**Own modules.** Versions and counters can be read as rows of the modules ``versions`` and ``counters``, "
            "and the versions set as the row with key 1: so they are copied to another store."
        ): ("versions_and_counters_are_rows_that_can_be_copied",),
        "Tallies are the store's own affair.": ("tallies_are_what_counting_gives",),
        "What it cannot do it declares in :class:`Capabilities`.": (
            "a_store_without_snapshots_says_so",
            "a_module_with_more_columns_than_it_can_hold_is_refused",
        ),
    },
    "FORMAT": {
        "The version of the data format this nubetis reads and writes.": ("an_empty_store_has_no_format",),
    },
    "Capabilities": {
        "What a store can do; what it cannot is refused when a plan is made.": (
            "a_module_with_more_columns_than_it_can_hold_is_refused",
        ),
    },
    "Capabilities.durable": {
        "A returned write survives the loss of power.": (),
    },
    "Capabilities.processes": {
        "Several processes may open it at once.": ("processes_never_oversell",),
    },
    "Capabilities.ddl_in_txn": {
        "A schema step is part of a transaction.": ("a_field_that_is_not_unique_cannot_become_so",),
    },
    "Capabilities.savepoints": {
        ":meth:`Txn.savepoint` works.": ("a_savepoint_that_raises_leaves_nothing_and_the_unit_goes_on",),
    },
    "Capabilities.snapshots": {
        ":meth:`Store.snapshot` works beside writers; where it does not, a back-up is a copy into an SQLite file.": (
            "a_snapshot_taken_beside_a_writer_is_restored_and_gone_on_with",
        ),
    },
    "Capabilities.linked_filters": {
        "Filters on linked records are evaluated by the store.": (
            "linked_filters_look_at_living_records_only",
            "linked_filters_nest",
            "generated_linked_filters_agree_with_the_evaluator",
            "linked_filters_look_at_the_snapshot_of_their_unit",
        ),
    },
    "Capabilities.max_fields": {
        "Columns of one module, the twins of its texts among them.": (
            "a_module_with_more_columns_than_it_can_hold_is_refused",
        ),
    },
    "Capabilities.max_params": {
        "Parameters of one statement; a unit may be given more values than that.": (
            "one_of_many_values",
            "removals_take_rows_out_and_missing_keys_do_no_harm",
            "get_many_keeps_the_order_asked_for_and_says_what_is_missing",
        ),
    },
    "Capabilities.refuse_excess": {
        "Refuse modules with more columns than the store can hold.": (
            "a_module_with_more_columns_than_it_can_hold_is_refused",
        ),
        "StoreError: ``no_capability``.": ("a_module_with_more_columns_than_it_can_hold_is_refused",),
    },
    "VersionName": {
        "The numbers that tell a reader whether what he cached still holds.": ("an_expected_version_is_raised_by_one",),
    },
    "Versions": {
        "The versions row, read first in each unit of work.": ("an_expected_version_is_raised_by_one",),
    },
    "Versions.of": {
        "Give the number of *name*.": ("an_expected_version_is_raised_by_one",),
    },
    "Inserts": {
        "New rows of one module, whole.": ("rows_come_back_as_they_were_written",),
    },
    "Updates": {
        "New values of the same columns in rows of one module.": ("updates_set_the_named_columns_only",),
        (
            "*expected* has a version for each key, or is ``None`` where versions do not matter (and are "
            "not raised: ledgers have none)."
        ): (
            "an_update_without_expected_versions_leaves_them",
            "an_update_with_the_right_version_raises_it_by_one",
        ),
    },
    "Removals": {
        "Rows that cease to exist.": (
            "removals_take_rows_out_and_missing_keys_do_no_harm",
            "a_key_that_is_named_twice_is_removed_once",
        ),
        "Keys that are not there do no harm.": ("removals_take_rows_out_and_missing_keys_do_no_harm",),
    },
    "Guard": {
        "Adds *delta* to a counter, which must then lie between *floor* and *ceiling*, both included.": (
            "a_guard_keeps_its_counter_within_bounds",
            "counters_do_not_know_each_other",
            "a_guard_looks_at_both_bounds_whichever_way_it_moves",
            "a_guard_looks_at_what_those_before_it_in_the_batch_have_moved",
        ),
    },
    "Expect": {
        "The version *name* must still be *version*; it is raised by one.": (
            "an_expected_version_is_raised_by_one",
            "each_version_is_expected_alone_and_with_the_others",
            "of_racing_structural_changes_one_wins_each_round",
        ),
    },
    "Batch": {
        "Everything that must be written together.": (
            "an_empty_batch_is_written",
            "a_batch_with_a_conflict_leaves_nothing",
        ),
    },
    "ConflictKind": {
        "What stands against a batch.": ("a_batch_with_a_conflict_leaves_nothing",),
    },
    "ConflictKind.STALE": {
        "The row has another version; *actual* tells which.": (
            "a_stale_version_is_returned_with_the_one_found",
            "a_stale_row_is_found_wherever_it_stands",
            "all_stale_rows_are_named",
        ),
    },
    "ConflictKind.MISSING": {
        "There is no such row to update.": ("an_update_of_no_row_is_returned_as_missing",),
    },
    "ConflictKind.UNIQUE": {
        "A living row has this value already; *key* is the row offered, *column* the field's (never its twin).": (
            "a_folded_twin_is_not_unique",
            "an_update_may_not_take_a_value_but_may_keep_its_own",
        ),
    },
    "ConflictKind.TAKEN": {
        "The key is in use.": ("a_taken_key_is_returned_as_a_conflict",),
    },
    "ConflictKind.GUARD": {
        "The counter *column* would leave its bounds; *actual* is its value.": (
            "a_guard_keeps_its_counter_within_bounds",
        ),
    },
    "ConflictKind.VERSION": {
        "The version *column* has moved to *actual*.": (
            "a_version_that_moved_is_returned_as_a_conflict",
            "each_version_is_expected_alone_and_with_the_others",
        ),
    },
    "WriteConflict": {
        "One thing that stands against a batch.": ("all_stale_rows_are_named",),
    },
    "Outcome": {
        "What became of a batch: no conflicts, and it is written; or conflicts, and nothing of it is.": (
            "a_batch_with_a_conflict_leaves_nothing",
            "whatever_stands_against_a_batch_nothing_of_it_stays",
        ),
    },
    "Outcome.written": {
        "Say whether the batch was written.": ("an_empty_batch_is_written",),
    },
    "MeasureKind": {
        "What an aggregate computes; empty values do not count.": ("aggregates_agree_with_python",),
    },
    "Measure": {
        "One number for each group: of a column, or, for ``count``, of the rows where *column* is empty.": (
            "aggregates_agree_with_python",
        ),
    },
    "Columns": {
        "A batch of rows, turned: one sequence a column asked for.": (
            "a_stream_gives_the_columns_asked_for_in_batches",
        ),
    },
    "Txn": {
        "One transaction; lives as long as the unit that was given it.": ("a_transaction_ends_with_its_unit",),
    },
    "Txn.versions": {
        "Give the versions row.": ("an_expected_version_is_raised_by_one",),
    },
    "Txn.get_many": {
        "Give the row of each key, in that order, deleted ones too; ``None`` where there is none.": (
            "get_many_keeps_the_order_asked_for_and_says_what_is_missing",
            "get_many_gives_every_row_of_a_lot_of_any_size",
            "get_many_gives_deleted_rows_too",
        ),
    },
    "Txn.query": {
        "Give a keyset page: at most ``query.limit`` rows that fit, in its order, after ``query.after``.": (
            "pages_in_any_order_give_every_row_once",
            "pages_and_counts_of_many_ways_are_the_evaluators",
            "text_pages_by_code_point",
            "pages_stand_still_when_others_write",
            "pages_miss_nothing_while_threads_insert",
            "a_page_after_a_removed_row_goes_on_from_its_place",
        ),
    },
    "Txn.stream": {
        "Give all rows that fit, in key order, as batches of columns.": (
            "a_stream_gives_the_columns_asked_for_in_batches",
            "pieces_of_text_are_found_to_the_letter",
            "numbers_compare_as_whole_numbers",
            "a_missing_value_is_on_the_other_side",
            "words_are_found_in_any_of_the_columns",
            "a_set_holds_its_members_and_no_pieces_of_them",
            "everything_and_nothing",
            "deeply_nested_filters",
            "the_largest_filters_that_can_be_bound_are_answered",
            "generated_filters_agree_with_the_evaluator",
        ),
        "*columns* names columns or twins; empty means all of the layout.": ("a_stream_gives_whole_rows_unless_told",),
        "A batch has at most *size* rows: few enough to stay in the processor's cache while they are turned.": (
            "a_stream_gives_the_columns_asked_for_in_batches",
        ),
    },
    "Txn.count": {
        "Give how many rows fit, at most *limit*.": ("a_count_stops_at_its_limit",),
    },
    "Txn.aggregate": {
        ("Give a row for each group: the values of *groups*, then those of *measures*; in the order of the groups."): (
            "aggregates_agree_with_python",
            "text_groups_by_the_letter",
        ),
        "Without groups there is just one row, even of no records.": (
            "without_groups_there_is_one_row_even_of_nothing",
        ),
        "Groups and measures name columns or twins.": ("aggregates_agree_with_python",),
        "Of no values the count is 0 and the other measures are ``None``.": (
            "without_groups_there_is_one_row_even_of_nothing",
        ),
        "Sums are exact, however large.": ("sums_are_exact_beyond_63_bits",),
    },
    "Txn.tally": {
        ("Give the number of living rows for each value of *column*, one of ``module.tallied_by``, from the ledger."): (
            "tallies_are_what_counting_gives",
            "tallies_do_not_lose_what_many_write_at_once",
        ),
    },
    "Txn.write": {
        "Apply *batch* whole, or return what stands against it.": (
            "a_batch_with_a_conflict_leaves_nothing",
            "the_transaction_goes_on_after_a_conflict",
        ),
    },
    "Txn.bulk_load": {
        "Insert many rows as fast as the store can; give their number.": (
            "a_bulk_load_takes_rows_in_any_order_from_any_iterable",
        ),
        "What *rows* raises is raised; then the unit is lost.": ("a_bulk_load_whose_rows_raise_is_lost",),
        "Conflict: ``not_unique``; then the unit is lost.": (
            "a_bulk_load_that_is_not_unique_is_lost",
            "a_unit_cannot_swallow_a_load_or_change_that_failed",
        ),
    },
    "Txn.update_where": {
        "Set the same values in all rows that fit, without looking at versions; give their number.": (
            "update_where_sets_all_that_fit_and_no_version",
            "update_where_sets_rows_in_the_bin_too",
            "update_where_moves_the_tallies_of_a_ledger",
        ),
        "Conflict: ``not_unique``; then the unit is lost.": (
            "update_where_may_not_break_uniqueness",
            "a_savepoint_does_not_save_a_unit_whose_change_failed",
            "a_unit_cannot_swallow_a_load_or_change_that_failed",
        ),
    },
    "Txn.allocate": {
        "Take *count* numbers from a counter that begins at 1; give the first.": (
            "numbers_are_never_given_twice",
            "a_counter_that_is_taken_out_takes_no_other_with_it",
        ),
        (
            "Numbers are never given twice: a unit keeps what it took in a savepoint that raises, so there may be gaps."
        ): (
            "numbers_are_never_given_twice",
            "numbers_taken_in_a_lost_savepoint_are_not_given_again",
        ),
        "Only a unit that fails as a whole gives its numbers back: nobody outside may have seen them.": (
            "a_failed_unit_leaves_nothing",
        ),
        "A counter that numbers are taken from is not lowered by a guard.": (),
    },
    "Txn.savepoint": {
        "Give a block of which nothing but the numbers taken stays when it raises; the transaction goes on.": (
            "a_savepoint_that_raises_leaves_nothing_and_the_unit_goes_on",
            "numbers_taken_in_a_lost_savepoint_are_not_given_again",
            "a_guard_in_a_lost_savepoint_is_taken_back",
            "a_savepoint_ended_by_whatever_keeps_nothing",
        ),
    },
    "Store": {
        "Keeps the rows of one organisation.": ("organisations_do_not_see_each_other",),
    },
    "Store.format": {
        "Give the data format found, ``None`` where there is nothing yet.": ("an_empty_store_has_no_format",),
        "StoreError: ``not_nubetis``, ``damaged``.": (),
    },
    "Store.read": {
        "Run a unit that only reads, on one snapshot.": (
            "a_read_unit_sees_one_snapshot",
            "a_read_unit_may_not_write",
            "a_read_unit_sees_one_snapshot_by_every_way_of_looking",
        ),
    },
    "Store.write": {
        "Run a unit and commit it; run it again when another writer was faster.": (
            "units_that_touch_the_same_rows_in_any_order_all_come_to_their_end",
            "a_unit_gives_what_it_returns",
            "writers_who_meet_inside_their_units_stay_serial",
            "a_commit_is_seen_whole_or_not_at_all",
        ),
        "StoreBusy: others held the store for too long.": (),
        "StoreError: ``disk_full``, ``read_only_store``, ``read_only_server``, ``store_failed``; nothing of the unit "
        "was written.": (
            "a_unit_inside_a_unit_is_refused",
            "a_read_unit_may_not_write",
            "a_unit_cannot_swallow_a_load_or_change_that_failed",
        ),
        "StoreError: ``commit_unknown``; the line was lost, and the unit was written whole or not at all.": (),
    },
    "Store.migrate": {
        "Bring the tables to *schema* by *steps*, each of which may have been done before.": (
            "each_step_may_be_repeated",
            "a_renamed_field_keeps_its_column_and_its_data",
            "a_retired_field_keeps_its_data",
            "a_purged_field_is_gone_and_its_name_is_free",
            "a_dropped_module_is_gone",
            "what_a_change_only_took_away_is_gone_when_it_is_opened_again",
            "a_field_made_filterable_has_its_twin_filled",
            "a_module_tallied_by_another_field_counts_what_is_there",
            "rows_of_the_schema_before_can_be_read_and_written_meanwhile",
            "a_schema_operation_that_was_interrupted_is_gone_on_with",
        ),
        (
            "*fence* looks first, in the transaction of the change and when no other change can come between; what "
            "it raises is raised, and nothing was changed: so that of several who go on with a change none does a step "
            "late."
        ): (
            "what_looks_first_sees_what_is_there_and_may_stop_the_change",
            "what_looks_first_sees_what_the_change_would_take_away",
            "of_two_who_go_on_with_a_change_none_does_its_step_late",
        ),
        "The first call, on an empty store, also writes the format and the versions row, all of it 0.": (
            "an_empty_store_has_no_format",
            "an_expected_version_is_raised_by_one",
        ),
        "A new field is empty in the rows there are.": ("a_new_field_is_empty_and_can_be_used",),
        "Conflict: ``not_unique``; a field that becomes unique holds a value twice.": (
            "a_field_that_is_not_unique_cannot_become_so",
        ),
        "Nothing was changed.": (
            "a_field_that_is_not_unique_cannot_become_so",
            "what_was_refused_is_not_looked_for_afterwards",
            "a_change_of_two_modules_is_refused_whole",
        ),
        "StoreError: ``no_capability``; a module has more columns than the store can hold.": (
            "a_module_with_more_columns_than_it_can_hold_is_refused",
        ),
    },
    "Store.snapshot": {
        "Write a consistent copy to *target* while others write.": (
            "a_snapshot_is_a_whole_store",
            "a_snapshot_taken_beside_a_writer_is_restored_and_gone_on_with",
        ),
        "*fence* looks first, at what is copied; what it raises is raised, and there is no copy.": (
            "what_looks_first_sees_what_is_copied_and_may_stop_the_snapshot",
        ),
    },
    "Store.check": {
        "Give what is wrong with the store; nothing where all is well.": (
            "what_was_harmed_is_found_and_mended",
            "whatever_is_done_in_any_order_it_is_as_in_memory",
            "wrong_twins_are_found_wherever_they_are",
        ),
        (
            "Compares what is derived from rows (twins, sets, indexes, tallies) with the rows, on one snapshot and "
            "beside writers, in memory that does not grow with the records."
        ): (
            "a_sound_store_is_found_sound_beside_writers",
            "what_was_harmed_is_found_and_mended",
        ),
        "*schema* names the modules; without it, those that the store knows.": (
            "a_sound_store_is_found_sound_beside_writers",
        ),
        "Findings name tables and columns, never values.": (),
    },
    "Store.mend": {
        ("Make again what is derived from rows, where *findings* of :meth:`check` say that it does not follow."): (
            "what_was_harmed_is_found_and_mended",
            "mending_what_is_sound_changes_nothing",
        ),
        "No row changes.": ("mending_what_is_sound_changes_nothing", "what_was_harmed_is_found_and_mended"),
        "What cannot be mended stays as it is, and is found again.": (),
        (
            "*fence* looks before anything is made again, in the transaction that does it and when no change of the "
            "schema can come between; what it raises is raised: *schema* is no longer what there is, and would take "
            "too much away."
        ): ("what_looks_first_may_stop_the_mending",),
    },
    "Store.facts": {
        "Give what helps to judge the store, by names of its own: versions, sizes, settings; never a secret.": (
            "facts_are_plain_and_have_names",
        ),
    },
    "Store.compact": {
        "Add up the ledgers of tallies, and leave nothing of what is gone where it was; readers see no difference.": (
            "what_is_written_after_compacting_is_there_when_it_is_opened_again",
            "compacting_changes_nothing_that_is_read",
            "tallies_are_what_counting_gives",
        ),
    },
    "Store.clear": {
        "Take away all that is here, whatever state it is in, in one transaction; then there is no format.": (
            "a_store_that_is_cleared_is_as_new",
        ),
        "Nothing of it is read, so that a damaged organisation can be replaced.": (),
        "*known* are modules that it may have besides those of the system.": ("a_store_that_is_cleared_is_as_new",),
        "StoreError: ``not_replaced``; something is there that nubetis did not make, and nothing was changed.": (),
    },
    "Store.discard": {
        "Close a store that was opened with *create*, and leave nothing where nothing was.": (
            "a_store_that_is_discarded_leaves_nothing",
        ),
        "Where an organisation has been set up meanwhile, whose versions are no longer 0, it stays.": (
            "an_organisation_that_was_set_up_is_not_discarded",
        ),
    },
    "Store.close": {
        "Let go of everything; calling it twice does no harm.": ("closing_twice_does_no_harm",),
    },
    "StoreFactory": {
        "Opens a store; registered for a URL scheme by the hook ``nubetis_stores``.": (
            "a_schema_operation_that_was_interrupted_is_gone_on_with",
        ),
    },
    "StoreFactory.__call__": {
        "Open the store at *url*.": ("what_was_written_is_there_when_it_is_opened_again",),
        "With *create* make one where there is none; without, raise ``NotFound``.": (
            "a_store_that_nobody_made_is_not_found",
        ),
    },
}
"""Each sentence, by the place where it stands, with the names of its cases (``test_`` left out)."""

BEYOND: Final[Mapping[str, str]] = {
    "A returned write survives the loss of power.": "tests/proof/test_power.py",
    "A counter that numbers are taken from is not lowered by a guard.": "src/nubetis/model/store.py",
    "StoreError: ``not_nubetis``, ``damaged``.": "tests/backends/sql/test_harm.py",
    "StoreBusy: others held the store for too long.": "tests/backends/sql/test_units.py",
    "StoreError: ``commit_unknown``; the line was lost, and the unit was written whole or not at all.": (
        "tests/backends/sql/test_leases.py"
    ),
    "Nothing of it is read, so that a damaged organisation can be replaced.": "tests/backends/test_copying.py",
    "StoreError: ``not_replaced``; something is there that nubetis did not make, and nothing was changed.": (
        "tests/backends/test_copying.py"
    ),
    "Findings name tables and columns, never values.": "tests/test_doctor.py",
    "What cannot be mended stays as it is, and is found again.": "tests/test_doctor.py",
}
"""Sentences that no case can bring about by the contract alone (a lost disk, a harmed file, a patience that is the
store's own, a promise of whoever calls), and where nubetis proves them of its own stores."""


def sentences_of(case: str) -> list[str]:
    """Give the sentences that a case holds a store to, each with its place.

    >>> sentences_of("closing_twice_does_no_harm")
    ['Store.close: Let go of everything; calling it twice does no harm.']
    """
    return [f"{place}: {sentence}" for place, table in RULES.items() for sentence, of in table.items() if case in of]
