import type { RankRange } from '../rank-range.js';
import type { RankState, RankStates } from '../rank-state.js';
import { rangeOf } from './capacities.js';
import type { FleetStore } from './fleet-store.js';
import type { LimitClasses } from './limit-classes.js';
import { RANK, WORDS_PER_CELL, type CellsCopy } from './rank-cells.js';
import { rankStateAt } from './rank-state-at.js';
import { BASE, COUNT, HAS_RANGE } from './worker-slots.js';

/**
 * The range and the cells of one worker as they are when this is made: a copy, which nothing changes any more. The
 * capacities are not in it but their class, since a class keeps its capacities for ever.
 */
export class RankSnapshot {
  private readonly declared: RankRange | null;
  private readonly cells: CellsCopy;
  private readonly classes: LimitClasses;

  constructor(store: FleetStore, slot: number) {
    const { slots, cells } = store;
    const at = slots.at(slot);
    this.declared = slots.has(slot, HAS_RANGE) ? rangeOf(store, slot) : null;
    this.cells = cells.copy(slots.words[at + BASE] ?? 0, slots.words[at + COUNT] ?? 0);
    this.classes = store.classes;
  }

  /** The ranks as the judgement reads them. */
  states(): RankStates {
    const { words } = this.cells;
    const ranks = new Map<number, RankState>();
    for (let cell = 0; cell < words.length; cell += WORDS_PER_CELL) {
      ranks.set((words[cell + RANK] ?? 0) >>> 0, rankStateAt(this.cells, this.classes, cell));
    }
    return { declared: this.declared, ranks };
  }
}
