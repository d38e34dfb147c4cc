/** Cmd-K: everything that can be reached or done from here, found by a few letters of it. */
import { Search } from "lucide-react";
import { Dialog } from "radix-ui";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { classes } from "../ui/controls.tsx";
import { type Command, showKeys, useAllCommands } from "./commands.tsx";
import { rank } from "./rank.ts";

export const Palette = ({ open, onClose }: { open: boolean; onClose: () => void }) => (
  <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
    <Dialog.Portal>
      <div className="backdrop" aria-hidden />
      <Dialog.Content className="modal palette" aria-describedby={undefined}>
        <Dialog.Title className="hidden">Commands</Dialog.Title>
        <Choose onClose={onClose} />
      </Dialog.Content>
    </Dialog.Portal>
  </Dialog.Root>
);

const Choose = ({ onClose }: { onClose: () => void }) => {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const all = useAllCommands();
  const found = useMemo(
    () =>
      rank(
        text,
        all.filter(({ quiet }) => quiet !== true),
        ({ title, section, also }) => `${title} ${section} ${also ?? ""}`,
      ),
    [text, all],
  );
  const chosen = Math.min(at, found.length - 1);
  useEffect(() => {
    list.current?.querySelector(`[data-at="${chosen}"]`)?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const take = (command: Command | undefined): void => {
    if (command === undefined) return;
    onClose();
    // After the dialog has given the focus back, so that the command may move it.
    setTimeout(command.run, 0);
  };
  return (
    <>
      <div className="palette-line">
        <Search size={16} aria-hidden className="faint" />
        <input
          className="palette-input"
          placeholder="Go somewhere or do something"
          aria-label="Find a command"
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={found.length === 0 ? undefined : `${id}-${chosen}`}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
            if (step !== 0) {
              event.preventDefault();
              setAt((chosen + step + found.length) % Math.max(1, found.length));
            } else if (event.key === "Enter") {
              event.preventDefault();
              take(found[chosen]);
            }
          }}
        />
      </div>
      <div className="palette-list" role="listbox" aria-label="Commands" id={`${id}-list`} ref={list}>
        {found.map((command, i) => (
          <div key={command.id}>
            {text === "" && command.section !== found[i - 1]?.section ? (
              <div className="menu-label" role="presentation">
                {command.section}
              </div>
            ) : null}
            {/* biome-ignore lint/a11y/useKeyWithClickEvents: the input above has the keyboard. */}
            <div
              id={`${id}-${i}`}
              data-at={i}
              role="option"
              tabIndex={-1}
              aria-selected={i === chosen}
              className={classes("menu-item", i === chosen && "is-active")}
              onPointerMove={() => setAt(i)}
              onClick={() => take(command)}
            >
              <span className="grow cut">{command.title}</span>
              {text !== "" ? <span className="faint small">{command.section}</span> : null}
              {command.keys === undefined ? null : <kbd className="key">{showKeys(command.keys)}</kbd>}
            </div>
          </div>
        ))}
      </div>
      {found.length === 0 ? <p className="palette-none faint">Nothing is called “{text}”.</p> : null}
    </>
  );
};
