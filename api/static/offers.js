// Keeps the console's examples working when they are sent as they stand: a plugin of Swagger UI.
//
// Ids in a path are those of what there is, names that must be unique are new ones, a replacement
// starts from what is there now. What somebody typed is left alone. Used by docs.js.
"use strict";

/** What was offered last: key of a field or body → value. */
const offered = new Map();
/** Ids of the operations that are open. */
const open = new Set();
/** The specification as it was read last, and as plain objects. */
const read = { spec: null, plain: null };
let pending = 0;

/** The plugin: offer values when an operation opens, and anew after signing in. */
function offers() {
  const anew = (original, system) => (payload) => {
    const result = original(payload);
    open.forEach((id) => offer(system, id));
    return result;
  };
  return {
    statePlugins: {
      layout: { wrapActions: { show } },
      auth: { wrapActions: { authorize: anew, authorizeOauth2: anew } },
      spec: { wrapActions: { setResponse: responded } },
      oas3: { wrapActions: { setRequestBodyValue: kept } },
    },
  };
}

function show(original, system) {
  return (thing, shown) => {
    if (thing[0] === "operations" && thing.length === 3) {
      if (shown) {
        open.add(thing[2]);
        offer(system, thing[2]);
      } else {
        open.delete(thing[2]);
      }
    }
    return original(thing, shown);
  };
}

/** Swagger UI empties a body when its operation is drawn; what was offered stays. */
function kept(original) {
  return ({ value, pathMethod: [path, method] }) =>
    original({ value: value ?? offered.get(`${method} ${path}`), pathMethod: [path, method] });
}

/** After something was made, the same body would clash with it. */
function responded(original, system) {
  return (path, method, answer) => {
    const operation = find(system, (each) => each.path === path && each.method === method);
    if (operation && answer.status === 201) {
      offerBody(system, operation, null);
    }
    return original(path, method, answer);
  };
}

async function offer(system, id) {
  const page = document.getElementById("console");
  page.ariaBusy = "true";
  pending += 1;
  try {
    await offerAll(system, id);
  } finally {
    pending -= 1;
    page.ariaBusy = String(pending > 0);
  }
}

async function offerAll(system, id) {
  const operation = find(system, (each) => each.told.operationId === id);
  if (!operation) {
    return;
  }
  const item = await subject(system, operation.path);
  for (const parameter of operation.told.parameters ?? []) {
    const value = parameter.in === "path" ? partOf(item, parameter) : undefined;
    if (value !== undefined) {
      offerParameter(system, operation, parameter, value);
    }
  }
  offerBody(system, operation, item);
}

/** Return what a variable of a path is of an item; of several kinds it is the item's. */
function partOf(item, { name, schema }) {
  return item?.[name] ?? schema.enum?.find((kind) => Object.values(item ?? {}).includes(kind));
}

function offerParameter(system, { path, method }, parameter, value) {
  const key = `${method} ${path} ${parameter.name}`;
  const params = system.specSelectors.specJson().getIn(["paths", path, method, "parameters"]);
  const param = params.find((each) => each.get("name") === parameter.name);
  const present = system.specSelectors.parameterWithMetaByIdentity([path, method], param);
  const typed = present.get("value");
  if (typed === undefined || [parameter.example, offered.get(key)].map(String).includes(`${typed}`)) {
    const fit = parameter.schema.type === "string" ? `${value}` : value;
    offered.set(key, fit);
    system.specActions.changeParamByIdentity([path, method], param, fit, false);
  }
}

function offerBody(system, operation, item) {
  const { path, method, told } = operation;
  const example = exampleOf(system, told.requestBody?.content?.["application/json"]?.schema);
  const body = example && (method === "put" ? present(example, item) : renewed(example, method));
  if (!body) {
    return;
  }
  const key = `${method} ${path}`;
  const typed = system.oas3Selectors.requestBodyValue(path, method);
  if (typed == null || typed === offered.get(key) || typed === pretty(example)) {
    offered.set(key, pretty(body));
    system.oas3Actions.setRequestBodyValue({ value: pretty(body), pathMethod: [path, method] });
  }
}

/** Return the example with the values that an item has now, or nothing if it has none of them. */
function present(example, item) {
  const known = Object.keys(example).filter((name) => item?.[name] != null);
  return known.length && Object.assign({ ...example }, ...known.map((name) => ({ [name]: item[name] })));
}

/** Return the example with a name that nobody has, or nothing if it needs none. */
function renewed(example, method) {
  if (method !== "post" || !example.username || !example.email) {
    return null;
  }
  const [name, host] = example.email.split("@");
  const suffix = Math.random().toString(36).slice(2, 7);
  return {
    ...example,
    username: `${example.username}-${suffix}`,
    email: `${name}-${suffix}@${host}`,
  };
}

/** Return what the variables of a path are of; where it is about what a user has, `id` is theirs. */
async function subject(system, path) {
  const [, version, kind] = path.match(/^(.*)\/users\/{id}\/([a-z]+)\/by-/) ?? [];
  const item = await newest(system, kind ? `${version}/${kind}/{id}` : path);
  return kind && item ? { ...item, id: item.author.id } : item;
}

/** Return the newest of what a path with variables is about: `/v1/posts/{id}/can` → a post. */
async function newest(system, path) {
  if (!path.includes("/{")) {
    return null;
  }
  const collection = path.slice(0, path.indexOf("/{")).replace(/\/by-[a-z-]+$/, "");
  const list = find(system, (each) => each.path === collection && each.method === "get");
  if (!list) {
    return null;
  }
  const token = tokenOf(system);
  const query = new URLSearchParams({ limit: 5 });
  for (const { name, schema } of list.told.parameters ?? []) {
    if (name === "sort" && schema.enum?.includes("-created_at")) {
      query.set(name, "-created_at");
    } else if (name === "status" && token && schema.enum?.includes("any")) {
      query.set(name, "any");
    }
  }
  const server = plainSpec(system).servers[0].url;
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(`${server}${collection}?${query}`, { headers });
  const items = answer.ok ? (await answer.json()).items : [];
  // Rather not the sign-in in use, and what anybody may see.
  return items.find((each) => !each.current && each.visibility !== "private") ?? items[0];
}

function tokenOf(system) {
  const { password, bearer } = system.authSelectors.authorized()?.toJS() ?? {};
  return password?.token?.access_token ?? bearer?.value;
}

function find(system, matches) {
  for (const [path, item] of Object.entries(plainSpec(system).paths ?? {})) {
    for (const [method, told] of Object.entries(item)) {
      if (matches({ path, method, told })) {
        return { path, method, told };
      }
    }
  }
  return null;
}

function exampleOf(system, schema) {
  const name = schema?.$ref?.split("/").pop();
  return plainSpec(system).components?.schemas[name]?.examples?.[0];
}

function plainSpec(system) {
  const spec = system.specSelectors.specJson();
  if (read.spec !== spec) {
    Object.assign(read, { spec, plain: spec.toJS() });
  }
  return read.plain;
}

function pretty(body) {
  return JSON.stringify(body, null, 2);
}
