export function lockedBy(path: string): number | undefined;
export function tryLock(path: string): number | undefined;
export function unlock(path: string): void;
export function withLock<T>(path: string, work: () => Promise<T>): Promise<T>;
