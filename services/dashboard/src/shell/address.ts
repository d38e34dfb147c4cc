/** A page's own parameters in the address. What is as it is anyhow does not stand there. */
import { useCallback } from "react";
import { useSearchParams } from "wouter";

export interface Address {
  get(name: string): string;
  /** Empty takes a parameter out. A new step in the history unless `replace`. */
  set(changes: Readonly<Record<string, string>>, replace?: boolean): void;
}

export const useAddress = (): Address => {
  const [parameters, setParameters] = useSearchParams();
  const set = useCallback(
    (changes: Readonly<Record<string, string>>, replace = false) =>
      setParameters(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changes)) {
            if (value === "") after.delete(name);
            else after.set(name, value);
          }
          return after;
        },
        { replace },
      ),
    [setParameters],
  );
  return { get: (name) => parameters.get(name) ?? "", set };
};
