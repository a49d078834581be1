import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

const now = performance.now.bind(performance);

/** Bytes on their way, or the end of the stream. */
interface Parcel {
  readonly bytes: Uint8Array | undefined;
  due: number;
}

/** One direction of a connection through a `FaultProxy`. */
export class FaultLane {
  private readonly parcels: Parcel[] = [];
  private timer: NodeJS.Timeout | undefined;
  private delayMs = 0;
  private open = true;
  private full = false;
  private reset = false;
  private dropping = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
  ) {
    from.on('data', (bytes: Uint8Array) => this.send(bytes));
    from.on('end', () => this.send(undefined));
    from.on('close', (hadError) => {
      this.reset = hadError;
      this.forward();
    });
    to.on('drain', () => {
      this.full = false;
      this.forward();
    });
    to.on('close', () => clearTimeout(this.timer));
  }

  /** Appends bytes, or the end, to the stream. */
  send(bytes: Uint8Array | undefined): void {
    if (this.dropping) return;
    this.parcels.push({ bytes, due: Math.max(now() + this.delayMs, this.parcels.at(-1)?.due ?? 0) });
    this.forward();
  }

  /** While it is shut nothing is read, so that the sender's window fills up, and the end of one side stays unknown. */
  set({ open, delayMs }: { readonly open: boolean; readonly delayMs: number }): void {
    this.open = open;
    this.delayMs = delayMs;
    for (const parcel of this.parcels) parcel.due = Math.min(parcel.due, now() + delayMs);
    this.forward();
  }

  /** Reads and discards everything from now on. */
  drop(): void {
    this.dropping = true;
    this.parcels.length = 0;
    clearTimeout(this.timer);
    this.from.resume();
  }

  private forward(): void {
    if (this.dropping) return;
    clearTimeout(this.timer);
    if (this.open && this.reset && !this.to.destroyed) this.to.resetAndDestroy();
    while (this.open && !this.full && this.to.writable) {
      const parcel = this.parcels[0];
      if (parcel === undefined) break;
      if (parcel.due > now()) {
        this.timer = setTimeout(() => this.forward(), parcel.due - now());
        break;
      }
      this.parcels.shift();
      if (parcel.bytes === undefined) this.to.end();
      else this.full = !this.to.write(parcel.bytes);
    }
    if (this.open && !this.full) this.from.resume();
    else this.from.pause();
  }
}
