/**
 * What wraps data keys: keys of the configuration, or a key service that never gives its keys away. Only wrapped data keys
 * are ever stored, with the name of the key that wrapped them.
 */
import { Fault } from "./fault.ts";
import { decrypt, encrypt, keyName } from "./sealing.ts";

export interface KeyProvider {
  /** Names the key that wraps from now on, and tells nothing of it. */
  readonly current: string;
  /** `bound` says whose the data key is; it is authenticated and not kept. */
  wrap(dataKey: Buffer, bound: string): Promise<string>;
  /** `name` is what `current` was when it was wrapped. Rejects when that key is gone, or `wrapped` or `bound` changed. */
  unwrap(name: string, wrapped: string, bound: string): Promise<Buffer>;
}

/** `keys` of 32 bytes: the one that wraps, then those it may still have to unwrap with. AES-256-GCM. */
export const createConfiguredKeys = (keys: readonly [Buffer, ...Buffer[]]): KeyProvider => {
  const [present] = keys;
  const byName = new Map(keys.map((key) => [keyName(key), key]));
  return {
    current: keyName(present),
    wrap: async (dataKey, bound) => encrypt(present, dataKey, bound),
    unwrap: async (name, wrapped, bound) => {
      const key = byName.get(name);
      if (key === undefined) throw new Fault("key_gone", `None of the configured keys is ${name}, which wrapped it.`);
      return decrypt(key, wrapped, bound);
    },
  };
};
