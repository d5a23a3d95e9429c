import { TagsInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import type { ExperimentSummary } from '../../api/types'
import { Icon } from '../../components/icons'
import { useExperimentChange } from '../../components/useExperimentChange'
import classes from './Experiments.module.css'

const MOST = 50
const LONGEST = 200

/** `#tag` filters; the plus makes them a field. Leaving it or Enter on an empty line saves, Escape does not. */
export function Tags({ item, offered }: { item: ExperimentSummary; offered: readonly string[] }) {
  const [draft, setDraft] = useState<string[] | null>(null)
  const { change } = useExperimentChange()
  const save = () => {
    if (draft && draft.join('\n') !== item.tags.join('\n')) change.mutate({ ids: [item.id], body: { tags: draft } })
    setDraft(null)
  }
  if (draft) {
    return (
      <TagsInput
        autoFocus
        className={classes.tagField}
        aria-label={`Tags of ${item.name}`}
        placeholder="tag, Enter"
        value={draft}
        data={offered.filter((tag) => !draft.includes(tag))}
        maxTags={MOST}
        onChange={(tags) => setDraft(tags.map((tag) => tag.replace(/^#/, '').slice(0, LONGEST)).filter(Boolean))}
        onBlur={save}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setDraft(null)
          if (event.key === 'Enter' && event.currentTarget.value === '') save()
        }}
      />
    )
  }
  return (
    <>
      {item.tags.map((tag) => (
        <Link key={tag} to="/" search={{ q: tagFilter(tag), archived: item.archived_at !== null || undefined }} className={classes.tag} title={`Experiments with the tag ${tag}`}>
          #{tag}
        </Link>
      ))}
      <button type="button" className={classes.addTag} onClick={() => setDraft(item.tags)} aria-label={`Change the tags of ${item.name}`} title="Change the tags">
        {item.tags.length === 0 ? '+ tag' : <Icon name="pencil" size={12} />}
      </button>
    </>
  )
}

/** Of a tag with spaces or signs the quotes are part. */
export function tagFilter(tag: string): string {
  return /^[\p{L}\p{N}_.:/+-]+$/u.test(tag) ? `#${tag}` : `#"${tag}"`
}
