/** The dashboards there are: one's own and those that are shared. */
import "../style/pages.css";
import { Plus, Sparkles } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { useCommands } from "../shell/commands.tsx";
import { Button } from "../ui/controls.tsx";
import { MenuItem, RowMenu } from "../ui/overlays.tsx";
import { List } from "../ui/parts.tsx";
import { Empty, Failed, Waiting, Wrong } from "../ui/states.tsx";
import { formatAgo } from "../ui/time.ts";
import { type BoardContent, useBoardRemoval, useBoards, useNewBoard } from "./data.ts";
import { emptyBoard, makeTemplate } from "./template.ts";

export const BoardsPage = () => {
  const [, go] = useLocation();
  const boards = useBoards();
  const making = useNewBoard();
  const removing = useBoardRemoval();
  const [failed, setFailed] = useState<unknown>();
  const make = (name: string, content: BoardContent): void =>
    making.mutate({ name, content }, { onSuccess: ({ id }) => go(`/dashboards/${id}`) });
  const makeFirst = (): void => {
    setFailed(undefined);
    makeTemplate().then((content) => make("Overview", content), setFailed);
  };

  useCommands([
    {
      id: "new-board",
      title: "New dashboard",
      section: "Dashboards",
      keys: "n",
      run: () => make("Untitled", emptyBoard),
    },
    { id: "template", title: "New dashboard from my services", section: "Dashboards", run: makeFirst },
    ...(boards.data ?? []).map(({ id, name }) => ({
      id: `board-${id}`,
      title: name,
      section: "Dashboards",
      run: () => go(`/dashboards/${id}`),
    })),
  ]);

  if (boards.isPending) return <Waiting what="Loading the dashboards" />;
  if (boards.isError)
    return <Failed what="The dashboards cannot be shown" error={boards.error} onRetry={() => void boards.refetch()} />;
  return (
    <div className="page">
      {boards.data.length === 0 ? (
        <Empty title="No dashboard yet">
          <p className="soft">
            Begin with one that is made of what you send: its services, levels and latest errors. Everything in it can
            be changed.
          </p>
          <div className="row wrap">
            <Button look="primary" icon={<Sparkles size={14} />} busy={making.isPending} onClick={makeFirst}>
              Make it from my services
            </Button>
            <Button onClick={() => make("Untitled", emptyBoard)}>Begin empty</Button>
          </div>
          <Wrong error={failed ?? making.error} />
        </Empty>
      ) : (
        <section className="stack-small" aria-label="Dashboards">
          <header className="page-head">
            <h2>Dashboards</h2>
            <Button small icon={<Sparkles size={14} />} onClick={makeFirst}>
              From my services
            </Button>
            <Button small look="primary" icon={<Plus size={14} />} onClick={() => make("Untitled", emptyBoard)}>
              New dashboard
            </Button>
          </header>
          <Wrong error={failed ?? making.error ?? removing.error} />
          <List heads={["Name", "-#Panels", "Whose", "-Changed", ""]}>
            {boards.data.map(({ id, name, shared, mine, owner, content, updated_at }) => (
              <tr key={id}>
                <td>
                  <Link href={`/dashboards/${id}`}>
                    <strong>{name}</strong>
                  </Link>
                </td>
                <td className="number wide-only">{content.panels.length}</td>
                <td className="soft">
                  {mine ? "yours" : owner.name || "another's"} {shared ? <span className="badge">shared</span> : null}
                </td>
                <td className="wide-only soft">{formatAgo(updated_at)}</td>
                <td className="acts">
                  <RowMenu label={`Acts on ${name}`}>
                    <MenuItem onSelect={() => make(`${name} (copy)`.slice(0, 100), content)}>Copy it</MenuItem>
                    <MenuItem danger disabled={!mine} onSelect={() => removing.mutate(id)}>
                      Delete
                    </MenuItem>
                  </RowMenu>
                </td>
              </tr>
            ))}
          </List>
        </section>
      )}
    </div>
  );
};
