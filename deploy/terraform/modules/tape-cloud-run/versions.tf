terraform {
  # 1.9 lets a validation look at other variables; OpenTofu 1.9 does too.
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 7.0"
    }
  }
}
