/** The door, what links lead to, and behind it the pages in their frame. */
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Tooltip } from "radix-ui";
import { lazy, Suspense, useState } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { keptInvitation } from "./account/kept-invitation.ts";
import { currentOrganization, hasFactor, meKey, sessionKey, useArrive, useMe, useSession } from "./account/session.ts";
import { signInProblem } from "./account/sign-in-problem.ts";
import { asProblem } from "./api/client.ts";
import { readKey } from "./api/key.ts";
import { Explore } from "./explore/explore.tsx";
import { Commands } from "./shell/commands.tsx";
import { Shell } from "./shell/shell.tsx";
import { Boundary, Empty, Failed, Waiting } from "./ui/states.tsx";

// Explore is the first page; each other one is fetched when somebody goes there.
const TailPage = lazy(() => import("./tail/tail-page.tsx").then((page) => ({ default: page.TailPage })));
const PatternsPage = lazy(() =>
  import("./patterns/patterns-page.tsx").then((page) => ({ default: page.PatternsPage })),
);
const BoardsPage = lazy(() => import("./boards/boards-page.tsx").then((page) => ({ default: page.BoardsPage })));
const BoardPage = lazy(() => import("./boards/board-page.tsx").then((page) => ({ default: page.BoardPage })));
const ViewsPage = lazy(() => import("./saved/views-page.tsx").then((page) => ({ default: page.ViewsPage })));
const SourcesPage = lazy(() => import("./sources/sources-page.tsx").then((page) => ({ default: page.SourcesPage })));
const DataPage = lazy(() => import("./data/data-page.tsx").then((page) => ({ default: page.DataPage })));
const UsagePage = lazy(() => import("./usage/usage-page.tsx").then((page) => ({ default: page.UsagePage })));
const WelcomePage = lazy(() => import("./welcome/welcome-page.tsx").then((page) => ({ default: page.WelcomePage })));

const AlertsPage = lazy(() => import("./alerts/alerts-page.tsx").then((page) => ({ default: page.AlertsPage })));
const IncidentPage = lazy(() => import("./alerts/incident-page.tsx").then((page) => ({ default: page.IncidentPage })));
const rulePages = () => import("./alerts/rule-page.tsx");
const RulePage = lazy(() => rulePages().then((page) => ({ default: page.RulePage })));
const NewRulePage = lazy(() => rulePages().then((page) => ({ default: page.NewRulePage })));
const TeamPage = lazy(() => import("./team/team-page.tsx").then((page) => ({ default: page.TeamPage })));
const AccessPage = lazy(() => import("./access/access-page.tsx").then((page) => ({ default: page.AccessPage })));
const AuditPage = lazy(() => import("./audit/audit-page.tsx").then((page) => ({ default: page.AuditPage })));

const client = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      // The session ended, or less of it is open than a moment ago: ask what it is now, and show that.
      const { code } = asProblem(error);
      if (code === "mfa_enrolment_required") void client.invalidateQueries({ queryKey: meKey });
      if (code === "unauthorized" || code === "mfa_required") void client.invalidateQueries({ queryKey: sessionKey });
    },
  }),
  defaultOptions: {
    queries: {
      // What was refused stays refused; only what did not answer is worth asking again.
      retry: (count, error) => count < 2 && [0, 502, 503, 504].includes(asProblem(error).status),
    },
  },
});

// Seen before and beside the work, not in it: they are fetched when they are needed.
const Door = lazy(() => import("./account/door.tsx").then(({ Door: it }) => ({ default: it })));
const Account = lazy(() => import("./account/account.tsx").then(({ Account: it }) => ({ default: it })));
const SecondFactorPage = lazy(() =>
  import("./account/second-factor.tsx").then(({ SecondFactorPage: it }) => ({ default: it })),
);
const QueryReference = lazy(() =>
  import("./help/query-reference.tsx").then(({ QueryReference: it }) => ({ default: it })),
);
const links = () => import("./account/links.tsx");
const SignInLink = lazy(() => links().then(({ SignInLink: it }) => ({ default: it })));
const NewAddressLink = lazy(() => links().then(({ NewAddressLink: it }) => ({ default: it })));
const invitations = () => import("./account/invitation.tsx");
const InvitationLink = lazy(() => invitations().then(({ InvitationLink: it }) => ({ default: it })));
const Invitation = lazy(() => invitations().then(({ Invitation: it }) => ({ default: it })));
const IdentityLink = lazy(() => links().then(({ IdentityLink: it }) => ({ default: it })));
const SingleSignOn = lazy(() => import("./sso/single-sign-on.tsx").then(({ SingleSignOn: it }) => ({ default: it })));
const Welcome = lazy(() => links().then(({ Welcome: it }) => ({ default: it })));

export const App = () => (
  <QueryClientProvider client={client}>
    <Tooltip.Provider delayDuration={350}>
      <Commands>
        <Suspense fallback={<Waiting />}>
          <Switch>
            <Route path="/sign-in/link" component={SignInLink} />
            <Route path="/sign-in/identity" component={IdentityLink} />
            <Route path="/account/email" component={NewAddressLink} />
            <Route path="/welcome" component={Welcome} />
            <Route path="/invitation" component={InvitationLink} />
            <Route component={Inside} />
          </Switch>
        </Suspense>
      </Commands>
    </Tooltip.Provider>
  </QueryClientProvider>
);

const Inside = () => {
  const [key, setKey] = useState(readKey() !== null);
  const session = useSession();
  const [invited, setInvited] = useState(keptInvitation() !== null);
  const arrive = useArrive();
  if (!key && invited && session.data?.state === "open") return <Invitation onDone={() => setInvited(false)} />;
  if (key || session.data?.state === "open") return <Pages />;
  if (session.data?.state === "second-factor")
    return <SecondFactorPage factors={session.data.factors} onDone={arrive} />;
  // Without an answer a query key may still do.
  return session.isPending ? <Waiting /> : <Door onKey={() => setKey(true)} />;
};

const Pages = () => {
  const [location] = useLocation();
  const me = useMe();
  if (me.isError)
    return <Failed error={me.error} what="Your account could not be read" onRetry={() => window.location.reload()} />;
  if (me.isLoading) return <Waiting />;
  const organization = currentOrganization(me.data);
  const owesFactor = me.data !== undefined && organization?.require_mfa === true && !hasFactor(me.data);
  return (
    <Shell me={me.data}>
      <Boundary at={location}>
        <Suspense fallback={<Waiting />}>
          <Switch>
            <Route path="/account" component={Account} />
            {owesFactor ? <Redirect to="/account" replace /> : null}
            <Route path="/">
              <Redirect to={`/explore${window.location.search}`} replace />
            </Route>
            <Route path="/explore" component={Explore} />
            <Route path="/settings/single-sign-on" component={SingleSignOn} />
            <Route path="/sign-in">
              <Empty title="You are signed in as before">
                <p className="soft">{signInProblem(window.location.search)}</p>
              </Empty>
            </Route>
            <Route path="/tail" component={TailPage} />
            <Route path="/patterns" component={PatternsPage} />
            <Route path="/dashboards" component={BoardsPage} />
            <Route path="/dashboards/:id" component={BoardPage} />
            <Route path="/alerts" component={AlertsPage} />
            <Route path="/alerts/new-rule" component={NewRulePage} />
            <Route path="/alerts/rules/:id" component={RulePage} />
            <Route path="/alerts/incidents/:id" component={IncidentPage} />
            <Route path="/views" component={ViewsPage} />
            <Route path="/sources" component={SourcesPage} />
            <Route path="/data" component={DataPage} />
            <Route path="/usage" component={UsagePage} />
            <Route path="/team" component={TeamPage} />
            <Route path="/access" component={AccessPage} />
            <Route path="/audit" component={AuditPage} />
            <Route path="/start" component={WelcomePage} />
            <Route path="/help/query" component={QueryReference} />
            <Route>
              <Empty title="There is no such page" />
            </Route>
          </Switch>
        </Suspense>
      </Boundary>
    </Shell>
  );
};
