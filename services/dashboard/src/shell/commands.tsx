/**
 * What the page can do, by name and by key. Pages add theirs while they are shown; the palette and the help list what is
 * there, so neither can promise what does not work.
 */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly section: string;
  /** "j", "shift+j", "mod+k", "g e" (one after the other). */
  readonly keys?: string;
  /** More words that find it. */
  readonly also?: string;
  /** Only by its key, not in the palette: it makes no sense there. */
  readonly quiet?: boolean;
  readonly run: () => void;
}

interface Registry {
  readonly commands: readonly Command[];
  add(owner: symbol, commands: readonly Command[]): void;
  drop(owner: symbol): void;
}

const RegistryContext = createContext<Registry | undefined>(undefined);

const useRegistry = (): Registry => {
  const registry = useContext(RegistryContext);
  if (registry === undefined) throw new Error("used outside of Commands");
  return registry;
};

/** Typing goes where it is typed, also into an editor inside a shadow root. */
const isTyping = (event: KeyboardEvent): boolean => {
  const target = event.composedPath()[0];
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement ||
      (target instanceof HTMLInputElement && !["checkbox", "radio", "range", "button"].includes(target.type)))
  );
};

const nameOf = (event: KeyboardEvent): string => {
  const key = event.key === " " ? "space" : event.key.length === 1 ? event.key.toLowerCase() : event.key.toLowerCase();
  const mod = event.metaKey || event.ctrlKey;
  // "?" needs shift on most keyboards, and is itself.
  const shift = event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key));
  return `${mod ? "mod+" : ""}${event.altKey ? "alt+" : ""}${shift ? "shift+" : ""}${key}`;
};

/** Enter and space belong to what they press. */
const presses = (event: KeyboardEvent, name: string): boolean =>
  (name === "enter" || name === "space") &&
  event.target instanceof Element &&
  event.target.closest("button, a, summary, label, [role=tab], [role=slider], [role=menuitem], [role=option]") !== null;

const sequenceMs = 900;

export const Commands = ({ children }: { children: ReactNode }) => {
  const [owned, setOwned] = useState<ReadonlyMap<symbol, readonly Command[]>>(new Map());
  const add = useCallback((owner: symbol, commands: readonly Command[]) => {
    setOwned((before) => new Map(before).set(owner, commands));
  }, []);
  const drop = useCallback((owner: symbol) => {
    setOwned((before) => {
      const after = new Map(before);
      after.delete(owner);
      return after;
    });
  }, []);
  const commands = useMemo(() => [...owned.values()].flat(), [owned]);
  const live = useRef(commands);
  live.current = commands;

  useEffect(() => {
    let first = "";
    let firstAt = 0;
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      const name = nameOf(event);
      if ((isTyping(event) && !name.startsWith("mod+")) || presses(event, name)) return;
      // A menu or dialog that is open has the keyboard to itself.
      const modal = document.querySelector(
        '[role="dialog"][data-state="open"].modal, [role="menu"][data-state="open"]',
      );
      const pair = event.timeStamp - firstAt < sequenceMs ? `${first} ${name}` : "";
      const found =
        live.current.findLast((one) => one.keys === pair) ?? live.current.findLast((one) => one.keys === name);
      first = name;
      firstAt = event.timeStamp;
      if (found === undefined || (modal !== null && !name.startsWith("mod+"))) return;
      event.preventDefault();
      first = "";
      found.run();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);

  const registry = useMemo(() => ({ commands, add, drop }), [commands, add, drop]);
  return <RegistryContext value={registry}>{children}</RegistryContext>;
};

export const useAllCommands = (): readonly Command[] => useRegistry().commands;

/** Offers the commands while the caller is on the page. Their functions may change at each drawing. */
export const useCommands = (commands: readonly Command[]): void => {
  const { add, drop } = useRegistry();
  const live = useRef(commands);
  live.current = commands;
  const shape = commands.map(({ id, title, keys }) => `${id}/${title}/${keys ?? ""}`).join("|");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the shape stands for the commands, whose functions are read when they run.
  useEffect(() => {
    const owner = Symbol("commands");
    add(
      owner,
      live.current.map((one) => ({ ...one, run: () => live.current.find(({ id }) => id === one.id)?.run() })),
    );
    return () => drop(owner);
  }, [shape, add, drop]);
};

const mac = /Mac|iP(hone|ad)/.test(navigator.userAgent);

/** "mod+k" as it is on this keyboard. */
export const showKeys = (keys: string): string =>
  keys
    .split(" ")
    .map((one) =>
      one
        .replace("mod+", mac ? "⌘" : "Ctrl ")
        .replace("shift+", "⇧")
        .replace("alt+", mac ? "⌥" : "Alt ")
        .replace("arrowleft", "←")
        .replace("arrowright", "→")
        .replace("enter", "↵")
        .replace("escape", "Esc")
        .replace("space", "Space")
        .replace(/[a-z]$/, (letter) => (one.length === 1 || one.startsWith("mod+") ? letter.toUpperCase() : letter)),
    )
    .join(" ");
