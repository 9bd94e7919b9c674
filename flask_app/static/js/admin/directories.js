// @ts-check
/** Directories in the settings: the list. */
import { DirectoryForm } from "app/admin/directory-form.js"
import { ProviderList } from "app/admin/provider-list.js"

/**
 * @typedef {{id: string, slug: string, name: string, address: string, plain: boolean, certificates: string, bind_dn: string, has_secret: boolean,
 *   base_dn: string, only: string, name_attributes: string[], mail_attribute: string, groups_attribute: string, groups_base: string, nested_groups: string,
 *   groups: {value: string, group_id: string}[], group_id: string, newcomers: string, domains: string[], links_by_email: boolean,
 *   links_by_name: boolean, second_factor: boolean, disabled: boolean, people: number}} Directory
 */

/** @param {Directory[]} directories @param {{id: string, name: string}[]} groups */
export function showDirectories(directories, groups) {
  return new ProviderList(directories, {
    path: "/api/admin/directories",
    list: "[data-directories]",
    add: "[data-add-directory]",
    none: "[data-directories-none]",
    addressOf: ({ address }) => address,
    form: (keep) => new DirectoryForm(groups, keep),
  })
}
