import type { Role } from '../../core/events/fleet-event.js';
import {
  type LoadThresholdUpdate,
  type LoadThresholds,
  thresholdNames,
} from '../../core/policy/load-thresholds.js';
import type { WorkerId } from '../../core/worker-id.js';

/**
 * What thresholds apply to: the workers of a model, of a role, of both, or one worker; everything when all are absent.
 * Aggregated workers have the role `decode`.
 */
export interface EntryTarget {
  readonly model?: string;
  readonly role?: Role;
  readonly workerId?: WorkerId;
}

/** Who changed thresholds, and when. */
export interface ThresholdOrigin {
  /** The wall-clock time as ISO 8601 text. */
  readonly at: string;
  /** The address of the client; `null` if the change did not come over HTTP. */
  readonly address: string | null;
  /** The name of the token that the client sent. */
  readonly token: 'admin' | null;
  /** The route, as in `PATCH /thresholds`, or what else made the change, as in `frontend http://10.0.0.3:8000`. */
  readonly route: string;
}

/** The thresholds that were set for a target. An absent one was not set; `null` turns a check off. */
export interface ThresholdEntry {
  readonly target: EntryTarget;
  readonly thresholds: LoadThresholdUpdate;
  /** The origin of the latest change. */
  readonly origin: ThresholdOrigin;
}

/** A change of the thresholds of a target; `null`: none are set. */
export interface ThresholdChange {
  readonly target: EntryTarget;
  readonly before: LoadThresholdUpdate | null;
  readonly after: LoadThresholdUpdate | null;
  readonly origin: ThresholdOrigin;
}

/** A target as one text, which is the same for equal targets. */
export function targetKey({ model, role, workerId }: EntryTarget): string {
  return JSON.stringify([model, role, workerId]);
}

/** A target without members that are `undefined`. */
export function targetOf({
  model,
  role,
  workerId,
}: { [Name in keyof EntryTarget]?: EntryTarget[Name] | undefined }): EntryTarget {
  return {
    ...(model !== undefined && { model }),
    ...(role !== undefined && { role }),
    ...(workerId !== undefined && { workerId }),
  };
}

/** The thresholds of `to` that differ from those of `from`; `null` if none does. */
export function differingThresholds(from: LoadThresholds, to: LoadThresholds): LoadThresholdUpdate | null {
  const differing = thresholdNames.filter((name) => !Object.is(from[name], to[name]));
  return differing.length === 0 ? null : Object.fromEntries(differing.map((name) => [name, to[name]]));
}

/** The thresholds of a change that are given, in their usual order; `null` if none is. */
export function givenThresholds(change: LoadThresholdUpdate): LoadThresholdUpdate | null {
  const given = thresholdNames.filter((name) => change[name] !== undefined);
  return given.length === 0 ? null : Object.fromEntries(given.map((name) => [name, change[name]]));
}

/** Whether the same thresholds are given with the same values. */
export function sameThresholds(a: LoadThresholdUpdate | null, b: LoadThresholdUpdate | null): boolean {
  return thresholdNames.every((name) => Object.is(a?.[name], b?.[name]));
}
