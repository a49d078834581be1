/** How the fleet stands, in numbers. */
export interface FleetCounts {
  /** Workers that are judged: known, and with a state. */
  readonly known: number;
  /** Workers whose loads are held until discovery knows them. */
  readonly held: number;
  readonly busy: number;
  /** Workers that the request path marked; they count as busy. */
  readonly marked: number;
  /** Instances told, in both roles, and those of them that were reported down. */
  readonly instances: number;
  readonly down: number;
}
