//! The circuit breaker as a layer around a store: while the circuit is open, it does not call the
//! store. The denial cache calls it.

use std::sync::Arc;

use actix_throttle_core::{
    check::{Check, Outcomes},
    decide::Precedence,
    identity::IdentityQuery,
    key::{Key, KeySelection},
    stored::StoredEntry,
    time::Micros,
};

use super::circuit::Circuit;
use crate::engine::{
    circuit_state::CircuitState,
    store::interface::{Miss, ScanBounds, Scanned, Store, StoreError},
};

/// Asks the circuit for permission before each call. It does not report results: the store inside
/// does, because it knows what a response or its absence is evidence of.
#[derive(Debug)]
pub(crate) struct CircuitBreaker<S> {
    inner: S,
    circuit: Arc<Circuit>,
}

impl<S> CircuitBreaker<S> {
    pub(crate) fn new(inner: S, circuit: Arc<Circuit>) -> Self {
        Self { inner, circuit }
    }

    pub(crate) fn state(&self) -> CircuitState {
        self.circuit.state()
    }

    async fn ask<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let _permit = self.circuit.permit().map_err(StoreError::circuit_open)?;
        call.await
    }
}

impl<S: Store> Store for CircuitBreaker<S> {
    async fn decide(&self, checks: &[Check<'_>], miss: Miss) -> Result<Outcomes, StoreError> {
        self.ask(self.inner.decide(checks, miss)).await
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        self.ask(self.inner.delete(keys)).await
    }

    async fn delete_selected(
        &self,
        selection: &KeySelection,
        bounds: ScanBounds,
    ) -> Result<Scanned, StoreError> {
        let scan = self.inner.delete_selected(selection, bounds);
        self.ask(scan).await
    }

    async fn read_identity(
        &self,
        who: &IdentityQuery,
        bounds: ScanBounds,
    ) -> Result<(Vec<StoredEntry>, Scanned), StoreError> {
        self.ask(self.inner.read_identity(who, bounds)).await
    }

    async fn block(
        &self,
        key: &Key<'_>,
        length: Micros,
        precedence: Precedence,
    ) -> Result<bool, StoreError> {
        self.ask(self.inner.block(key, length, precedence)).await
    }

    fn close(&self) {
        self.inner.close();
    }
}
