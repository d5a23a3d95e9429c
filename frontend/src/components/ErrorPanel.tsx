import { CopyButton } from '@mantine/core'
import { useQueryErrorResetBoundary } from '@tanstack/react-query'
import { Link, type ErrorComponentProps } from '@tanstack/react-router'
import { Component, type ReactNode } from 'react'

import { ApiError } from '../api/client'
import { Icon } from './icons'
import classes from './ErrorPanel.module.css'

/** One panel that could not be drawn: what happened, what to do, and the id that the server's log knows. */
export function ErrorPanel({ error, onRetry, what = 'This panel could not be drawn.' }: { error: unknown; onRetry?: () => void; what?: string }) {
  const api = error instanceof ApiError ? error : null
  const message = error instanceof Error ? error.message : String(error)
  return (
    <div className={classes.panel} role="alert">
      <Icon name="warning" />
      <div>
        <p>
          <b>{what}</b> {message} {api?.remedy}
        </p>
        <p className={classes.actions}>
          {onRetry && (
            <button type="button" className="link" onClick={onRetry}>
              Retry
            </button>
          )}
          {api?.requestId && <RequestId id={api.requestId} />}
        </p>
      </div>
    </div>
  )
}

function RequestId({ id }: { id: string }) {
  return (
    <CopyButton value={id}>
      {({ copied, copy }) => (
        <button type="button" className="link" onClick={copy}>
          {copied ? 'Copied' : `Copy request id ${id}`}
        </button>
      )}
    </CopyButton>
  )
}

interface BoundaryProps {
  children: ReactNode
  reset: () => void
}

class Boundary extends Component<BoundaryProps, { error: unknown }> {
  override state = { error: null as unknown }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override render() {
    if (this.state.error === null) return this.props.children
    const retry = () => {
      this.props.reset()
      this.setState({ error: null })
    }
    return <ErrorPanel error={this.state.error} onRetry={retry} />
  }
}

/** An error replaces one panel, never the page. */
export function PanelBoundary({ children }: { children: ReactNode }) {
  const { reset } = useQueryErrorResetBoundary()
  return <Boundary reset={reset}>{children}</Boundary>
}

export function PageError({ error, reset }: ErrorComponentProps) {
  return (
    <div className={classes.page}>
      <ErrorPanel error={error} onRetry={reset} what="This page could not be drawn." />
    </div>
  )
}

export function NotFound() {
  return (
    <div className={classes.page}>
      <h1 className="title">Nothing is kept under this address</h1>
      <p>
        It may have been deleted. <Link to="/">Back to the experiments</Link>
      </p>
    </div>
  )
}
