import type { RuntimeConfig } from '../core/runtime-config.js';
import type { WorkerId } from '../core/worker-id.js';
import type { EndpointDifference } from './discovery-difference.js';

interface EndpointState {
  readonly configs: Map<WorkerId, RuntimeConfig>;
  readonly instances: Set<WorkerId>;
}

/** Who is at which endpoint or in which pool, by its path, and with which card. Where nobody is takes no room. */
export class EndpointStates {
  private readonly states = new Map<string, EndpointState>();

  configs(path: string): ReadonlyMap<WorkerId, RuntimeConfig> {
    return new Map(this.states.get(path)?.configs);
  }

  instances(path: string): ReadonlySet<WorkerId> {
    return new Set(this.states.get(path)?.instances);
  }

  has(path: string): boolean {
    return this.states.has(path);
  }

  apply(differences: ReadonlyMap<string, EndpointDifference>): void {
    for (const [path, { configs, instances }] of differences) {
      const state = this.states.get(path) ?? { configs: new Map(), instances: new Set() };
      for (const [id, config] of configs) {
        if (config === null) state.configs.delete(id);
        else state.configs.set(id, config);
      }
      for (const [id, present] of instances) {
        if (present) state.instances.add(id);
        else state.instances.delete(id);
      }
      if (state.configs.size === 0 && state.instances.size === 0) this.states.delete(path);
      else this.states.set(path, state);
    }
  }
}
