//! A metric of which each account has one.

use std::fmt::{Debug, Error};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::{MetricType, TypedMetric};

use crate::core::model::name::TopicLevel;

/// What tells a sample from the others of its metric; nothing where there is only one.
pub(super) type Labels = Vec<(&'static str, String)>;

/// The samples of a metric, as they are written: those of the only account without a label for it.
#[derive(Debug)]
pub(super) struct OfAccounts<M>(pub Vec<(Labels, M)>);

/// The label for an account that has a name.
pub(super) fn labels(account: Option<&TopicLevel>) -> Labels {
    account.map(|name| ("account", name.to_string())).into_iter().collect()
}

impl<M: EncodeMetric + TypedMetric + Debug> EncodeMetric for OfAccounts<M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), Error> {
        if let [(labels, metric)] = &self.0[..]
            && labels.is_empty()
        {
            return metric.encode(encoder);
        }
        self.0.iter().try_for_each(|(labels, metric)| metric.encode(encoder.encode_family(labels)?))
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}
