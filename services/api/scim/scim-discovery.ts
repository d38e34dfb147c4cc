/** What this SCIM server can do and what its resources look like, as RFC 7643 has it told. */
const schema = "urn:ietf:params:scim:schemas:core:2.0";
export const userSchema = `${schema}:User`;
export const groupSchema = `${schema}:Group`;
export const mostResults = 200;

const attribute = (name: string, more: Record<string, unknown> = {}) => ({
  name,
  ...{ type: "string", multiValued: false, required: false, caseExact: false, mutability: "readWrite" },
  ...{ returned: "default", uniqueness: "none", description: name },
  ...more,
});

const schemas = [
  {
    ...{ schemas: [`${schema}:Schema`], id: userSchema, name: "User", description: "A member of the organization" },
    attributes: [
      attribute("userName", { required: true, uniqueness: "server" }),
      attribute("externalId", { caseExact: true }),
      attribute("displayName"),
      attribute("active", { type: "boolean" }),
      attribute("name", { type: "complex", subAttributes: [attribute("givenName"), attribute("familyName")] }),
      attribute("emails", {
        ...{ type: "complex", multiValued: true, mutability: "immutable" },
        subAttributes: [attribute("value"), attribute("primary", { type: "boolean" })],
      }),
    ],
  },
  {
    ...{ schemas: [`${schema}:Schema`], id: groupSchema, name: "Group", description: "A team of the organization" },
    attributes: [
      attribute("displayName", { required: true, uniqueness: "server" }),
      attribute("externalId", { caseExact: true }),
      attribute("members", {
        ...{ type: "complex", multiValued: true },
        subAttributes: [
          attribute("value", { mutability: "immutable" }),
          attribute("display", { mutability: "readOnly" }),
        ],
      }),
    ],
  },
];

const resourceTypes = [
  { id: "User", name: "User", endpoint: "/Users", schema: userSchema },
  { id: "Group", name: "Group", endpoint: "/Groups", schema: groupSchema },
].map((one) => ({ schemas: [`${schema}:ResourceType`], ...one }));

export const listOf = (resources: readonly object[], total = resources.length, startIndex = 1) => ({
  schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
  ...{ totalResults: total, startIndex, itemsPerPage: resources.length, Resources: resources },
});

const no = { supported: false };
export const serviceProviderConfig = {
  schemas: [`${schema}:ServiceProviderConfig`],
  patch: { supported: true },
  bulk: { ...no, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: mostResults },
  ...{ changePassword: no, sort: no, etag: no },
  authenticationSchemes: [
    { type: "oauthbearertoken", name: "Bearer", description: "A SCIM token of the organization", primary: true },
  ],
};

export const schemaList = listOf(schemas);
export const findSchema = (id: string) => schemas.find((one) => one.id === id);
export const resourceTypeList = listOf(resourceTypes);
export const findResourceType = (id: string) => resourceTypes.find((one) => one.id === id);
