/** Small choices of this device, such as whether the side bar is folded. */
import { useCallback, useState } from "react";

export const readStored = <T>(name: string, otherwise: T): T => {
  try {
    const text = localStorage.getItem(`astralog.${name}`);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
};

export const writeStored = (name: string, value: unknown): void => {
  try {
    localStorage.setItem(`astralog.${name}`, JSON.stringify(value));
  } catch {
    // It is a convenience; without storage it is forgotten.
  }
};

export const useStored = <T>(name: string, otherwise: T): [T, (value: T) => void] => {
  const [value, setValue] = useState(() => readStored(name, otherwise));
  const set = useCallback(
    (next: T) => {
      setValue(next);
      writeStored(name, next);
    },
    [name],
  );
  return [value, set];
};
