/**
 * Who may do what, as data: every permission there is, the roles that come with the product, and what each kind of key
 * may do. Each route of the api names one of these permissions, and what no route or rule names does not stand here.
 * Adding one gives it to nobody until a role or a kind of key names it, the owner's excepted.
 */
export const keyKinds = ["ingest", "query", "admin"] as const;
export type KeyKind = (typeof keyKinds)[number];

export const permissions = {
  "events.read": "Search and read events, their histograms, facets, fields and traces, and look up receipts.",
  "views.write": "Save views, change them, and share them with the organization.",
  "annotations.write": "Mark deploys, alerts and notes over the counts of events, and take marks away.",
  "alerts.read":
    "See alert rules, incidents and their history, silences, destinations without their secrets, and what was sent.",
  "alerts.write": "Write alert rules and silences; acknowledge, snooze and resolve incidents.",
  "alerts.destinations": "Choose where alerts are sent, and send again.",
  "storage.read": "See which buckets and servers of its own the organization has connected, and how far they are.",
  "storage.write": "Connect buckets and ClickHouse servers, choose what is written there, and disconnect them.",
  "sources.read": "See the sources and their limits.",
  "sources.write": "Make sources and change their names and limits.",
  "keys.read": "See the keys: names, kinds, limits and last use, never the keys themselves.",
  "keys.write": "Make, rotate and revoke keys.",
  "producers.read": "See which sources write to Kafka themselves.",
  "producers.write": "Give sources, renew and take away their own way into Kafka.",
  "dead.read": "See which events could not be stored and why, without their content.",
  "dead.replay": "Send dead letters through the pipeline again.",
  "verify.run": "Have it proven that what was accepted is stored.",
  "usage.read": "See how much is sent and stored, and the plan's limits.",
  "retention.read":
    "See where events live, how long they are kept, what expires next, and deletions with their certificates.",
  "retention.write": "Decide how long events are kept, and put holds on them.",
  "deletions.write": "Have events deleted before their time.",
  "takeouts.read":
    "See what was taken out of the organization and fetch its files; events among them take events.read.",
  "takeouts.write": "Have everything of the organization put into files, and bring in such files of another Astralog.",
  "audit.read": "Read and export the audit trail.",
  "audit.stream": "Choose where the audit trail is sent as it grows.",
  "members.read": "See the members, teams, roles and invitations.",
  "members.write": "Invite people, change their roles and sources, and remove them.",
  "teams.write": "Make teams, choose who is in them and which sources they see.",
  "roles.write": "Make roles out of these permissions.",
  "organization.write": "Rename the organization and choose what it asks of its members at sign-in.",
  "owners.write": "Make others owners, and end that.",
  "sso.read": "See the identity providers and verified domains.",
  "sso.write": "Connect identity providers, verify domains and require single sign-on.",
  "access.read": "See when operators of the platform asked for access and what they were given.",
  "access.approve": "Allow an operator of the platform into the organization for a while, or refuse it.",
} as const;

/** Held by operators of the platform, never through an organization: no role, key or invitation can give them. */
export const operatorPermissions = {
  "plans.write": "Choose organizations' plans and overrides.",
  "access.request": "Ask an organization for temporary access.",
} as const;

export type TenantPermission = keyof typeof permissions;
export type OperatorPermission = keyof typeof operatorPermissions;
export type Permission = TenantPermission | OperatorPermission;

export const tenantPermissions = Object.keys(permissions) as readonly TenantPermission[];

const without = (...left: readonly TenantPermission[]): TenantPermission[] =>
  tenantPermissions.filter((one) => !left.includes(one));

/** From most to least. */
export const roles = {
  owner: { may: tenantPermissions, meaning: "Everything. An organization has one at least." },
  admin: { may: without("owners.write"), meaning: "Everything, except to make or unmake owners." },
  member: {
    may: [
      ...(["events.read", "views.write", "sources.read", "producers.read", "dead.read", "dead.replay"] as const),
      ...(["verify.run", "usage.read", "members.read", "alerts.read", "alerts.write", "annotations.write"] as const),
      "retention.read",
    ],
    meaning: "Works with events; changes nothing that concerns others.",
  },
  "read-only": {
    may: [
      ...(["events.read", "sources.read", "producers.read", "dead.read", "verify.run", "usage.read"] as const),
      ...(["members.read", "alerts.read", "retention.read"] as const),
    ],
    meaning: "Looks, and changes nothing.",
  },
  billing: { may: ["usage.read", "members.read"], meaning: "Sees what is used and who uses it, and no event." },
  auditor: {
    may: [
      ...(["audit.read", "verify.run", "members.read", "sources.read", "keys.read", "producers.read"] as const),
      ...(["sso.read", "access.read", "usage.read", "storage.read", "retention.read"] as const),
    ],
    meaning: "Checks who may do and has done what, and that nothing is lost; sees no event.",
  },
} as const satisfies Record<string, { may: readonly TenantPermission[]; meaning: string }>;

export type BuiltInRole = keyof typeof roles;
export const builtInRoles = Object.keys(roles) as readonly BuiltInRole[];
export const isBuiltInRole = (name: string): name is BuiltInRole => Object.hasOwn(roles, name);

/**
 * What a key without a scope of its own may do. An admin key runs the organization's machinery but reads no event, and
 * does nothing that a person must answer for.
 */
export const keyPermissions = {
  ingest: [],
  query: ["events.read"],
  admin: without(
    ...(["events.read", "views.write", "organization.write", "owners.write", "sso.write", "access.approve"] as const),
  ),
} as const satisfies Record<KeyKind, readonly TenantPermission[]>;

/** What an admin key does not do itself, and yet may give: it makes query keys, and invites members. */
export const givenByAdminKeys = ["events.read", "views.write"] as const satisfies readonly TenantPermission[];
