"""What a subscription must be registered for: providers, feature flags, approval, resource types."""
