/** ClickHouse servers of one's own: what is kept there and how far it is, what keeps one from going on, how one is connected. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { ActDialog, ConfirmDialog, useActs, useMay } from "../account/acts.tsx";
import { patch, post, remove } from "../api/client.ts";
import { Button, Field, Input } from "../ui/controls.tsx";
import { MenuItem, MenuLine, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo, formatBytes, number } from "../ui/time.ts";
import { ModeField, NewServer } from "./new-server.tsx";
import { modeWords, type Server, type ServerStatus, useServerStatus, useServers } from "./servers-data.ts";
import { NotInPlan, usePlanWithoutStorage } from "./storage-plan.tsx";

type Open = { readonly kind: "new" } | { readonly kind: "mode" | "access" | "end"; readonly of: Server };

const stale = ["servers", "servers-status", "places", "kept"] as const;

export const Servers = () => {
  const servers = useServers();
  const status = useServerStatus();
  const without = usePlanWithoutStorage();
  const may = useMay()("storage.write");
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const of = (id: string): ServerStatus | undefined => status.data?.servers.find(({ connection }) => connection === id);
  return (
    <Section
      title="Your own ClickHouse"
      about="Events are written to tables of ours on your server, each exactly once, beside Astralog's storage or instead of it, and searched there in the same language."
      act={
        may && without === undefined ? (
          <Button small look="primary" icon={<Plus size={14} />} onClick={() => setOpen({ kind: "new" })}>
            Connect a server
          </Button>
        ) : null
      }
    >
      {without === undefined ? null : <NotInPlan plan={without} what="server" />}
      <Read from={servers} what="the servers">
        {({ connections: all }) =>
          all.length === 0 ? (
            <p className="soft small">No server is connected: all events live in this installation's own ClickHouse.</p>
          ) : (
            <List heads={["Server", "State", "#Events", "-#Size", "-Last stored", "Events live", ""]}>
              {all.map((one) => (
                <Row key={one.id} of={one} status={of(one.id)} may={may} onOpen={setOpen} />
              ))}
            </List>
          )
        }
      </Read>
      {open?.kind === "new" ? <NewServer onClose={close} /> : null}
      {open?.kind === "mode" ? <Mode of={open.of} status={of(open.of.id)} onClose={close} /> : null}
      {open?.kind === "access" ? <Access of={open.of} onClose={close} /> : null}
      {open?.kind === "end" ? <Disconnect of={open.of} onClose={close} /> : null}
    </Section>
  );
};

const State = ({ of: { problem, probed_at }, status }: { of: Server; status: ServerStatus | undefined }) => {
  if (status?.problem != null)
    return (
      <>
        <span className="warn">waits since {formatAgo(status.problem.since)}</span>
        <div className="faint small break">
          {status.problem.detail} {number.format(status.lag)} records are behind. It is tried again; nothing is lost for
          four days.
        </div>
      </>
    );
  if (problem !== "")
    return (
      <>
        <span className="warn">lacks something</span>
        <div className="faint small break">
          {problem} Looked {formatAgo(probed_at)}.
        </div>
      </>
    );
  if (status?.state === "off") return <span className="soft">off</span>;
  if (status === undefined || status.state === "starting") return <span className="soft">starting</span>;
  return (
    <>
      <span className="good">writing</span>
      <div className="faint small">
        {status.lag === 0 ? "all that came is looked through" : `${number.format(status.lag)} records behind`}
      </div>
    </>
  );
};

interface RowProps {
  readonly of: Server;
  readonly status: ServerStatus | undefined;
  readonly may: boolean;
  readonly onOpen: (open: Open) => void;
}

const Row = ({ of: one, status, may, onOpen }: RowProps) => {
  const acts = useActs(...stale);
  const [, go] = useLocation();
  return (
    <tr>
      <td>
        <strong>{one.name}</strong>
        <div className="faint small break">
          {one.url}, {one.database}
          {one.cluster === "" ? "" : ` on ${one.cluster}`}; ClickHouse {one.server_version}
        </div>
        <div className="faint small mono">{one.id}</div>
      </td>
      <td>
        <State of={one} status={status} />
        {acts.wrong === undefined ? null : <div className="field-note is-wrong">{acts.wrong}</div>}
        {acts.dialog}
      </td>
      <td className="number figures">{number.format(status?.events ?? 0)}</td>
      <td className="wide-only number figures">{formatBytes(status?.bytes ?? 0)}</td>
      <td className="wide-only soft">{status?.last_stored_at ? formatAgo(status.last_stored_at) : "–"}</td>
      <td>{one.mode === "instead" ? <strong>here alone</strong> : modeWords[one.mode]}</td>
      <td className="acts">
        <RowMenu label={`Acts on ${one.name}`}>
          <MenuItem onSelect={() => go(`/explore?${new URLSearchParams({ place: one.id })}`)}>Search on it</MenuItem>
          {may ? (
            <>
              <MenuItem onSelect={() => void acts.run(() => post(`/storage/clickhouse/${one.id}/probe`))}>
                Ask for its version and rights
              </MenuItem>
              <MenuItem onSelect={() => onOpen({ kind: "mode", of: one })}>Change where events live</MenuItem>
              <MenuItem onSelect={() => onOpen({ kind: "access", of: one })}>Give it another password</MenuItem>
              <MenuLine />
              <MenuItem danger onSelect={() => onOpen({ kind: "end", of: one })}>
                Disconnect
              </MenuItem>
            </>
          ) : null}
        </RowMenu>
      </td>
    </tr>
  );
};

const Mode = ({ of: one, status, onClose }: { of: Server; status: ServerStatus | undefined; onClose: () => void }) => {
  const [mode, setMode] = useState(one.mode);
  const [abandon, setAbandon] = useState(false);
  const waiting = mode === "off" && one.mode === "beside" && (status?.lag ?? 0) > 0;
  return (
    <ActDialog
      title={`Where events live: ${one.name}`}
      about="It holds for what comes from now on; what is stored already stays where it is."
      acts={useActs(...stale)}
      submit="Save"
      disabled={mode === one.mode}
      work={() => patch(`/storage/clickhouse/${one.id}`, { mode, ...(waiting && abandon ? { abandon } : {}) })}
      onClose={onClose}
    >
      <ModeField value={mode} onChange={setMode} />
      {waiting ? (
        <label className="check">
          <input type="checkbox" checked={abandon} onChange={(event) => setAbandon(event.target.checked)} /> Give up
          what still waits for it: {number.format(status?.lag ?? 0)} records are to be looked through, and some may be
          kept nowhere else
        </label>
      ) : null}
    </ActDialog>
  );
};

const Access = ({ of: one, onClose }: { of: Server; onClose: () => void }) => {
  const [username, setUsername] = useState(one.username);
  const [password, setPassword] = useState("");
  return (
    <ActDialog
      title={`Another password for ${one.name}`}
      about="It replaces the one that is there once it has proved fit."
      acts={useActs(...stale)}
      submit="Try it and save"
      disabled={username === "" || password === ""}
      work={() => patch(`/storage/clickhouse/${one.id}`, { username, password })}
      onClose={onClose}
    >
      <Field label="User">
        {(ids) => (
          <Input
            {...ids}
            className="mono"
            value={username}
            onChange={(event) => setUsername(event.target.value.trim())}
          />
        )}
      </Field>
      <Field label="Password">
        {(ids) => (
          <Input
            {...ids}
            className="mono"
            type="password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
    </ActDialog>
  );
};

const Disconnect = ({ of: { id, name }, onClose }: { of: Server; onClose: () => void }) => (
  <ConfirmDialog
    title={`Disconnect ${name}`}
    about="Nothing on the server is deleted. Searches, deletions and retention reach it no more. It must be off before."
    word={name}
    acts={useActs(...stale)}
    submit="Disconnect"
    work={() => remove(`/storage/clickhouse/${id}`)}
    onClose={onClose}
  />
);
