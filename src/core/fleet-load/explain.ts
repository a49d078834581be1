import { explainRank } from '../explain-rank.js';
import type { Explanation, RankExplanation } from '../explanation.js';
import { judgedRanks, neededRanks } from '../is-busy.js';
import type { WorkerId } from '../worker-id.js';
import type { FleetStore } from './fleet-store.js';
import { RankSnapshot } from './rank-snapshot.js';
import { isKnown } from './worker-state.js';
import { HAS_STATE, KEEPS, MARKED, PUBLISHED } from './worker-slots.js';

/** Why a worker is what it is, or `undefined` for one of which nothing is known. */
export function explain(store: FleetStore, workerId: WorkerId): Explanation | undefined {
  const { slots, policy, thresholds } = store;
  const slot = slots.find(workerId);
  if (slot === -1 || !slots.has(slot, KEEPS)) return undefined;
  const states = new RankSnapshot(store, slot).states();
  const judged = judgedRanks(states, policy);
  const ranks = [...judged.reported]
    .sort(([a], [b]) => a - b)
    .map(([rank, state]) => explainRank(rank, state, thresholds, policy));
  const busy = slots.has(slot, PUBLISHED);
  const facts = {
    workerId,
    busy,
    known: slots.has(slot, HAS_STATE) && isKnown(store, slot),
    marked: slots.has(slot, MARKED),
    since: busy ? slots.since(slot) : null,
    judgedRanks: judged.count,
    busyRanks: ranks.filter((rank) => rank.busy).length,
    neededRanks: neededRanks(policy.rollUp, judged.count),
    silentRanks: judged.count - judged.reported.size,
    ranks,
  };
  return { ...facts, text: textOf(facts, thresholds.isConfigured()) };
}

function textOf(facts: Omit<Explanation, 'text'>, marksSet: boolean): string {
  const lines = [
    `worker ${facts.workerId} is ${facts.busy ? `busy since ${facts.since} ms` : 'free'}: ` +
      `${facts.busyRanks} of ${facts.judgedRanks} ranks busy, ${facts.neededRanks} needed`,
  ];
  if (!marksSet) lines.push('no mark is set, so no load makes a worker busy');
  if (!facts.known) lines.push('it is not judged: discovery does not know it');
  if (facts.marked) lines.push('the request path marked it overloaded');
  if (facts.silentRanks > 0)
    lines.push(`${facts.silentRanks} declared ranks reported nothing and count as free`);
  for (const rank of facts.ranks) lines.push(...rankLines(rank));
  return lines.join('\n');
}

function rankLines({ rank, checks }: RankExplanation): string[] {
  return checks.map(({ check, standing, value, limit, margin }) =>
    limit === null
      ? `rank ${rank} ${check}: ${standing}${value === null ? '' : `, value ${value}`}`
      : `rank ${rank} ${check}: ${value} ${standing} ${limit}${margin === null ? '' : `, margin ${margin}`}`,
  );
}
