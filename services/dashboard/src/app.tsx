/** The door that a query key opens, and behind it the pages in their frame. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Tooltip } from "radix-ui";
import { lazy, Suspense, useState } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { readKey, setKey } from "./api/key.ts";
import { Explore } from "./explore/explore.tsx";
import { Commands } from "./shell/commands.tsx";
import { Mark, Shell } from "./shell/shell.tsx";
import { Button, Field, Input } from "./ui/controls.tsx";
import { Boundary, Empty, Waiting } from "./ui/states.tsx";

// Explore is the first page; each other one is fetched when somebody goes there.
const TailPage = lazy(() => import("./tail/tail-page.tsx").then((page) => ({ default: page.TailPage })));
const PatternsPage = lazy(() =>
  import("./patterns/patterns-page.tsx").then((page) => ({ default: page.PatternsPage })),
);
const BoardsPage = lazy(() => import("./boards/boards-page.tsx").then((page) => ({ default: page.BoardsPage })));
const BoardPage = lazy(() => import("./boards/board-page.tsx").then((page) => ({ default: page.BoardPage })));
const ViewsPage = lazy(() => import("./saved/views-page.tsx").then((page) => ({ default: page.ViewsPage })));
const SourcesPage = lazy(() => import("./sources/sources-page.tsx").then((page) => ({ default: page.SourcesPage })));
const UsagePage = lazy(() => import("./usage/usage-page.tsx").then((page) => ({ default: page.UsagePage })));
const WelcomePage = lazy(() => import("./welcome/welcome-page.tsx").then((page) => ({ default: page.WelcomePage })));

const client = new QueryClient();

export const App = () => {
  const [open, setOpen] = useState(readKey() !== null);
  return (
    <QueryClientProvider client={client}>
      <Tooltip.Provider delayDuration={350}>
        <Commands>{open ? <Pages /> : <Door onOpen={() => setOpen(true)} />}</Commands>
      </Tooltip.Provider>
    </QueryClientProvider>
  );
};

const Door = ({ onOpen }: { onOpen: () => void }) => {
  const [key, setText] = useState("");
  const wrong =
    key === "" || /^al_(?:qry|adm)_/.test(key.trim())
      ? undefined
      : "A query key begins with al_qry_, an admin key with al_adm_.";
  return (
    <main className="door">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (key.trim() === "" || wrong !== undefined) return;
          setKey(key.trim());
          onOpen();
        }}
      >
        <Mark size={28} />
        <h1>A query key opens Astralog</h1>
        <p className="soft">
          It was printed at the first start, and is made by <code>astralog keys create</code>. This tab keeps it until
          it is closed.
        </p>
        <Field label="Query key" error={wrong}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              placeholder="al_qry_…"
              value={key}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" look="primary">
          Open
        </Button>
      </form>
    </main>
  );
};

const Pages = () => {
  const [location] = useLocation();
  return (
    <Shell>
      <Boundary at={location}>
        <Suspense fallback={<Waiting what="Loading the page" />}>
          <Switch>
            <Route path="/">
              <Redirect to={`/explore${window.location.search}`} replace />
            </Route>
            <Route path="/explore" component={Explore} />
            <Route path="/tail" component={TailPage} />
            <Route path="/patterns" component={PatternsPage} />
            <Route path="/dashboards" component={BoardsPage} />
            <Route path="/dashboards/:id" component={BoardPage} />
            <Route path="/views" component={ViewsPage} />
            <Route path="/sources" component={SourcesPage} />
            <Route path="/usage" component={UsagePage} />
            <Route path="/start" component={WelcomePage} />
            <Route>
              <Empty title="There is no such page" />
            </Route>
          </Switch>
        </Suspense>
      </Boundary>
    </Shell>
  );
};
