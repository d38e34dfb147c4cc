/** One dashboard: read at a glance, narrowed by its variables, changed in place. The address holds time and variables. */
import "../style/pages.css";
import "./boards.css";
import { ArrowLeft, ArrowRight, Pencil, Plus, RotateCw, Share2, Trash2 } from "lucide-react";
import { useState } from "react";
import { useLocation, useParams } from "wouter";
import { asProblem } from "../api/client.ts";
import { topValues } from "../explore/data.ts";
import { TimePicker } from "../explore/time-picker.tsx";
import { absolute, type Range } from "../explore/time-range.ts";
import { type Address, useAddress } from "../shell/address.ts";
import { useCommands } from "../shell/commands.tsx";
import { Button, CopyButton, IconButton, Input } from "../ui/controls.tsx";
import { Popover } from "../ui/overlays.tsx";
import { Empty, Failed, Waiting } from "../ui/states.tsx";
import {
  type Board,
  type BoardContent,
  type Panel,
  useAnnotations,
  useBoard,
  useBoardChange,
  type Variable,
} from "./data.ts";
import { PanelDialog } from "./panel-dialog.tsx";
import { PanelView } from "./panel-view.tsx";
import { VariableSelect } from "./variable-select.tsx";

export const BoardPage = () => {
  const { id = "" } = useParams<{ id: string }>();
  const board = useBoard(id);
  if (board.isPending) return <Waiting what="Loading the dashboard" />;
  if (board.isError)
    return <Failed what="This dashboard cannot be shown" error={board.error} onRetry={() => void board.refetch()} />;
  return <Shown key={id} board={board.data.value} etag={board.data.etag} />;
};

/** The time and the variables as the address has them, else as the dashboard was saved. */
const readAddress = (
  address: Address,
  { range, variables }: BoardContent,
): { range: Range; variables: Variable[] } => ({
  range:
    address.get("from") === "" && address.get("to") === ""
      ? range
      : { from: address.get("from"), to: address.get("to") },
  variables: variables.map(({ field, value }) => {
    const chosen = address.get(`v.${field}`);
    return { field, value: chosen === "*" ? "" : chosen || value };
  }),
});

const fresh = (panels: readonly Panel[]): Panel => {
  let n = panels.length + 1;
  while (panels.some(({ id }) => id === `p${n}`)) n++;
  return { id: `p${n}`, title: "", kind: "line", q: "", field: "", width: 6, height: 2 };
};

const Shown = ({ board, etag }: { board: Board; etag: string }) => {
  const address = useAddress();
  const [, go] = useLocation();
  const [turn, setTurn] = useState(0);
  const [picking, setPicking] = useState(false);
  const [draft, setDraft] = useState<{ name: string; content: BoardContent }>();
  const [panel, setPanel] = useState<Panel>();
  const change = useBoardChange(board.id, etag);
  const content = draft?.content ?? board.content;
  const { range, variables } = readAddress(address, content);
  const utc = address.get("tz") === "utc";
  const annotations = useAnnotations(range, turn);

  const setContent = (changes: Partial<BoardContent>): void =>
    setDraft((before) => before && { ...before, content: { ...before.content, ...changes } });
  const setPanels = (panels: readonly Panel[]): void => setContent({ panels });
  const edit = (): void => setDraft({ name: board.name, content: board.content });
  const save = (): void => {
    if (draft === undefined) return;
    change.mutate(
      { name: draft.name.trim() || board.name, content: draft.content },
      { onSuccess: () => setDraft(undefined) },
    );
  };
  const move = (at: number, by: number): void => {
    const panels = [...content.panels];
    const [one] = panels.splice(at, 1);
    if (one !== undefined) panels.splice(Math.max(0, Math.min(panels.length, at + by)), 0, one);
    setPanels(panels);
  };
  const keep = (one: Panel): void => {
    const known = content.panels.some(({ id }) => id === one.id);
    setPanels(known ? content.panels.map((other) => (other.id === one.id ? one : other)) : [...content.panels, one]);
    setPanel(undefined);
  };

  useCommands([
    { id: "again", title: "Look again", section: "Dashboard", keys: "r", run: () => setTurn(turn + 1) },
    { id: "time", title: "Choose the time", section: "Dashboard", keys: "t", run: () => setPicking(true) },
    {
      id: "edit",
      title: draft === undefined ? "Change this dashboard" : "Save this dashboard",
      section: "Dashboard",
      keys: "e",
      run: draft === undefined ? edit : save,
    },
    { id: "all", title: "All dashboards", section: "Dashboard", run: () => go("/dashboards") },
  ]);

  const context = {
    ...{ range, variables, utc, turn },
    annotations: annotations.data ?? [],
    onZoom: (from: number, to: number) => address.set({ ...absolute(from, to) }),
  };
  return (
    <div className="page page-wide">
      <header className="page-head board-head">
        {draft === undefined ? (
          <h2 className="cut">{board.name}</h2>
        ) : (
          <Input
            aria-label="Name"
            className="board-name"
            maxLength={100}
            value={draft.name}
            onChange={(event) => setDraft({ ...draft, name: event.target.value })}
          />
        )}
        {content.variables.map(({ field }, i) => (
          <VariableSelect
            key={field}
            field={field}
            value={variables[i]?.value ?? ""}
            values={() => topValues(field, range)}
            onChange={(value) => address.set({ [`v.${field}`]: value === "" ? "*" : value })}
            {...(draft === undefined
              ? {}
              : { onRemove: () => setContent({ variables: content.variables.filter((one) => one.field !== field) }) })}
          />
        ))}
        <TimePicker
          range={range}
          utc={utc}
          open={picking}
          onOpen={setPicking}
          onChange={(next) => address.set({ from: next.from, to: next.to })}
          onZone={(next) => address.set({ tz: next ? "utc" : "" }, true)}
        />
        {draft === undefined ? (
          <>
            <IconButton label="Look again" keys="R" onClick={() => setTurn(turn + 1)}>
              <RotateCw size={15} />
            </IconButton>
            <Share board={board} onShare={(shared) => change.mutate({ shared })} />
            <Button small icon={<Pencil size={14} />} onClick={edit}>
              Change
            </Button>
          </>
        ) : (
          <>
            <AddVariable
              onAdd={(field) =>
                setContent({
                  variables: [...content.variables.filter((one) => one.field !== field), { field, value: "" }],
                })
              }
            />
            <Button small icon={<Plus size={14} />} onClick={() => setPanel(fresh(content.panels))}>
              Panel
            </Button>
            <Button small onClick={() => setDraft(undefined)}>
              Discard
            </Button>
            <Button small look="primary" busy={change.isPending} onClick={save}>
              Save
            </Button>
          </>
        )}
      </header>
      <div role="alert" className="board-alert">
        {change.isError ? <p className="field-note is-wrong">{asProblem(change.error).message}</p> : null}
      </div>
      {content.panels.length === 0 ? (
        <Empty title="No panel yet">
          <p className="soft">A panel is a query drawn as lines, bars, a table or a number.</p>
          <Button
            look="primary"
            onClick={() => {
              if (draft === undefined) edit();
              setPanel(fresh([]));
            }}
          >
            Add the first panel
          </Button>
        </Empty>
      ) : (
        <div className="grid">
          {content.panels.map((one, at) => (
            <PanelView
              key={one.id}
              panel={one}
              context={context}
              acts={
                draft === undefined ? null : (
                  <>
                    <IconButton label="Earlier" disabled={at === 0} onClick={() => move(at, -1)}>
                      <ArrowLeft size={14} />
                    </IconButton>
                    <IconButton label="Later" disabled={at === content.panels.length - 1} onClick={() => move(at, 1)}>
                      <ArrowRight size={14} />
                    </IconButton>
                    <IconButton label={`Change ${one.title}`} onClick={() => setPanel(one)}>
                      <Pencil size={14} />
                    </IconButton>
                    <IconButton
                      label={`Take ${one.title} out`}
                      onClick={() => setPanels(content.panels.filter(({ id }) => id !== one.id))}
                    >
                      <Trash2 size={14} />
                    </IconButton>
                  </>
                )
              }
            />
          ))}
        </div>
      )}
      {panel === undefined ? null : <PanelDialog of={panel} onSave={keep} onClose={() => setPanel(undefined)} />}
    </div>
  );
};

const Share = ({ board, onShare }: { board: Board; onShare: (shared: boolean) => void }) => {
  const [open, setOpen] = useState(false);
  return (
    <Popover
      open={open}
      onOpen={setOpen}
      label="Share"
      className="share"
      trigger={
        <Button small icon={<Share2 size={14} />}>
          {board.shared ? "Shared" : "Share"}
        </Button>
      }
    >
      <label className="choice">
        <input
          type="checkbox"
          checked={board.shared}
          disabled={board.shared && !board.mine}
          onChange={(event) => onShare(event.target.checked)}
        />
        <span>
          Everybody in the organization
          <span className="soft">
            {" "}
            may open and change it. Its link opens for members who are signed in, and nobody else.
          </span>
        </span>
      </label>
      <CopyButton text={location.href} label="Copy the link with this time" />
    </Popover>
  );
};

const AddVariable = ({ onAdd }: { onAdd: (field: string) => void }) => {
  const [open, setOpen] = useState(false);
  const [field, setField] = useState("");
  return (
    <Popover
      open={open}
      onOpen={setOpen}
      label="Variable"
      className="share"
      trigger={
        <Button small icon={<Plus size={14} />}>
          Variable
        </Button>
      }
    >
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (field.trim() === "") return;
          onAdd(field.trim());
          setField("");
          setOpen(false);
        }}
      >
        <Input
          aria-label="Field"
          placeholder="service"
          className="mono"
          value={field}
          onChange={(e) => setField(e.target.value)}
        />
        <Button type="submit">Add</Button>
      </form>
    </Popover>
  );
};
