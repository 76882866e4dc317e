import type { PageAudience } from "./page.ts";
import type { Visitor } from "./visitor.ts";

export interface NavItem {
  label: string;
  path: string;
  audience: PageAudience;
}

export interface NavGroup {
  label: string;
  items: readonly NavItem[];
}

/** The console's table of contents. An item is current for its own path and all below it. */
const GROUPS: readonly NavGroup[] = [
  {
    label: "Settings",
    items: [
      { label: "API keys", path: "/console/settings/api-keys", audience: ["owner", "member", "viewer"] },
      {
        label: "Permission templates",
        path: "/console/settings/templates",
        audience: ["owner", "member", "viewer"],
      },
      { label: "Endpoints", path: "/console/settings/endpoints", audience: ["owner", "member", "viewer"] },
      { label: "Namespaces", path: "/console/settings/namespaces", audience: ["owner", "member", "viewer"] },
      { label: "Audit log", path: "/console/settings/audit-log", audience: ["owner", "viewer"] },
    ],
  },
  {
    label: "Admin",
    items: [
      { label: "Endpoints", path: "/console/admin/endpoints", audience: "admin" },
      { label: "Namespaces", path: "/console/admin/namespaces", audience: "admin" },
      { label: "Accounts", path: "/console/admin/accounts", audience: "admin" },
      { label: "Members", path: "/console/admin/members", audience: "admin" },
      { label: "All keys", path: "/console/admin/keys", audience: "admin" },
      { label: "Import keys", path: "/console/admin/import", audience: "admin" },
      { label: "Full audit log", path: "/console/admin/audit-log", audience: "admin" },
    ],
  },
];

/** Whether a page is a visitor's to see. */
export function mayVisit(audience: PageAudience, visitor: Visitor | null): boolean {
  if (audience === "anybody") return true;
  if (visitor === null) return false;
  if (audience === "signed_in") return true;
  if (audience === "admin") return visitor.session.admin;
  return visitor.account !== null && visitor.role !== null && audience.includes(visitor.role);
}

/** Whether a page is a visitor's to see in any of their accounts. */
export function couldVisit(audience: PageAudience, visitor: Visitor | null): boolean {
  if (typeof audience === "string") return mayVisit(audience, visitor);
  return visitor?.session.memberships.some(({ role }) => audience.includes(role)) === true;
}

/** What a visitor finds in the navigation. */
export function navigationOf(visitor: Visitor): NavGroup[] {
  return GROUPS.map(({ label, items }) => ({
    label,
    items: items.filter(({ audience }) => mayVisit(audience, visitor)),
  })).filter(({ items }) => items.length > 0);
}
