/** Every saved view: open, rename, share, delete. */
import "../style/pages.css";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { useCommands } from "../shell/commands.tsx";
import { Button, Field, Input } from "../ui/controls.tsx";
import { MenuItem, MenuLine, Modal, RowMenu } from "../ui/overlays.tsx";
import { List } from "../ui/parts.tsx";
import { Empty, Failed, Waiting, Wrong } from "../ui/states.tsx";
import { formatAgo } from "../ui/time.ts";
import { hrefOf, type SavedView, useViewChange, useViewRemoval, useViews, type ViewPage } from "./data.ts";

const pageNames: Readonly<Record<ViewPage, string>> = { explore: "Explore", tail: "Live tail", patterns: "Patterns" };

export const ViewsPage = () => {
  const [, go] = useLocation();
  const views = useViews();
  const changing = useViewChange();
  const removing = useViewRemoval();
  const [renamed, setRenamed] = useState<SavedView>();
  useCommands(
    (views.data ?? []).map((view) => ({
      id: `view-${view.id}`,
      title: view.name,
      section: "Saved views",
      run: () => go(hrefOf(view)),
    })),
  );
  if (views.isPending) return <Waiting what="Loading the saved views" />;
  if (views.isError)
    return <Failed what="The saved views cannot be shown" error={views.error} onRetry={() => void views.refetch()} />;
  if (views.data.length === 0) {
    return (
      <Empty title="No saved view yet">
        <p className="soft">
          In Explore, Live tail or Patterns press <kbd className="key">S</kbd>: the query, the time and the columns are
          kept under a name, for you or for everybody.
        </p>
        <Button onClick={() => go("/explore")}>Go to Explore</Button>
      </Empty>
    );
  }
  return (
    <div className="page">
      <section className="stack-small" aria-label="Saved views">
        <header className="page-head">
          <h2>Saved views</h2>
        </header>
        <Wrong error={changing.error ?? removing.error} />
        <List heads={["Name", "-Query", "-Page", "Whose", "-Changed", ""]}>
          {views.data.map((view) => (
            <tr key={view.id}>
              <td>
                <Link href={hrefOf(view)}>
                  <strong>{view.name}</strong>
                </Link>
              </td>
              <td className="wide-only mono soft small">{view.content.state.q ?? "every event"}</td>
              <td className="wide-only soft">{pageNames[view.content.page]}</td>
              <td className="soft">
                {view.mine ? "yours" : view.owner.name || "another's"}{" "}
                {view.shared ? <span className="badge">shared</span> : null}
              </td>
              <td className="wide-only soft">{formatAgo(view.updated_at)}</td>
              <td className="acts">
                <RowMenu label={`Acts on ${view.name}`}>
                  <MenuItem onSelect={() => setRenamed(view)}>Rename</MenuItem>
                  <MenuItem
                    disabled={view.shared && !view.mine}
                    onSelect={() => changing.mutate({ id: view.id, shared: !view.shared })}
                  >
                    {view.shared ? "Take back: for you alone" : "Share with the organization"}
                  </MenuItem>
                  <MenuLine />
                  <MenuItem danger disabled={!view.mine} onSelect={() => removing.mutate(view.id)}>
                    Delete
                  </MenuItem>
                </RowMenu>
              </td>
            </tr>
          ))}
        </List>
      </section>
      {renamed === undefined ? null : (
        <Rename
          of={renamed}
          onClose={() => setRenamed(undefined)}
          onName={(name) => changing.mutate({ id: renamed.id, name }, { onSuccess: () => setRenamed(undefined) })}
        />
      )}
    </div>
  );
};

const Rename = ({
  of: view,
  onName,
  onClose,
}: {
  of: SavedView;
  onName: (name: string) => void;
  onClose: () => void;
}) => {
  const [name, setName] = useState(view.name);
  return (
    <Modal open onClose={onClose} title={`Rename ${view.name}`}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== "") onName(name.trim());
        }}
      >
        <Field label="Name">
          {(ids) => (
            <Input {...ids} autoFocus maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
          )}
        </Field>
        <div className="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={name.trim() === ""}>
            Rename
          </Button>
        </div>
      </form>
    </Modal>
  );
};
