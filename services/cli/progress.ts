/** A progress line on a terminal: how far, how fast, how long still. */
import type { Terminal } from "./terminal.ts";
import { bytes, count, duration } from "./text.ts";

export interface Progress {
  /** Bytes of the inputs read, of how many in all; 0 when unknown (a pipe). */
  readonly read: number;
  readonly total: number;
  readonly events: number;
  readonly wire: number;
  readonly seconds: number;
  readonly note: string;
}

/** The line, at most `columns` wide. */
export const progressLine = (p: Progress, columns: number): string => {
  const rate = p.seconds > 0 ? p.events / p.seconds : 0;
  const parts = [`${count(p.events)} events`, `${count(rate)}/s`, `${bytes(p.wire)} sent`];
  if (p.total > 0 && p.read > 0) parts.push(`eta ${duration((p.seconds * (p.total - p.read)) / p.read)}`);
  else parts.push(duration(p.seconds));
  if (p.note !== "") parts.push(p.note);
  const words = parts.join("  ");
  const room = Math.min(30, columns - words.length - 8);
  if (p.total === 0 || room < 8) return words.slice(0, columns - 1);
  const share = Math.min(1, p.read / p.total);
  const full = Math.floor(share * room);
  return `${"█".repeat(full)}${"░".repeat(room - full)} ${String(Math.floor(share * 100)).padStart(3)}%  ${words}`;
};

/** Draws `state()` five times a second until stopped; nothing when nobody watches. */
export const showProgress = (terminal: Terminal, state: () => Progress): { stop(): void } => {
  if (terminal.progressColumns === 0) return { stop: () => undefined };
  const draw = (): void => terminal.err(`\r\x1b[2K${progressLine(state(), terminal.progressColumns)}`);
  const timer = setInterval(draw, 200);
  return {
    stop: () => {
      clearInterval(timer);
      terminal.err("\r\x1b[2K");
    },
  };
};
